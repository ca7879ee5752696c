"""Yardsticks: what holding and chance would have earned in the same stretch."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.domain.money import Notional, Price
from oxbot.domain.yardsticks import Stake, traded_at_random, worth_held

FEE = Decimal("0.001")
CAPITAL = Notional(10_000)
prices = st.lists(st.decimals("0.01", "100000", places=2).map(Price), min_size=2, max_size=30)


def closes(*texts: str) -> list[Price]:
    return [Price(text) for text in texts]


def test_holding_puts_equal_parts_into_each_coin_at_its_first_close() -> None:
    market = {"A": closes("10", "99", "20"), "B": closes("5", "1", "2.5")}
    assert worth_held(CAPITAL, market) == Notional(12_500)


def test_nothing_staked_has_no_chance_to_be_compared_with() -> None:
    assert traded_at_random([], Notional(0), {"A": closes("1", "2")}, FEE) is None


def test_what_is_still_held_has_paid_one_fee() -> None:
    flat = {"A": closes("7", "7", "7", "7")}
    stake = Stake(invested=Notional(1_000), candles=2, closed=False)
    chance = traded_at_random([stake], Notional(-1), flat, FEE, seeds=20)
    assert chance is not None
    assert (chance.median, chance.worse) == (Notional(-1), Decimal(0))


@pytest.mark.parametrize(("earned", "worse"), [("-2.01", "0"), ("-2", "0"), ("-1.99", "1")])
def test_in_a_market_that_stands_still_chance_loses_both_fees_and_nothing_else(
    earned: str, worse: str
) -> None:
    flat = {"A": closes("7", "7", "7", "7")}
    stakes = [Stake(invested=Notional(600), candles=1), Stake(invested=Notional(400), candles=2)]
    chance = traded_at_random(stakes, Notional(earned), flat, FEE, seeds=20)
    assert chance is not None
    assert chance.low == chance.median == chance.high == Notional(-2)
    assert chance.worse == Decimal(worse)


def test_a_stake_as_long_as_the_stretch_is_held_from_its_first_close_to_its_last() -> None:
    market = {"A": closes("100", "50", "110")}
    chance = traded_at_random(
        [Stake(invested=Notional(100), candles=99)], Notional(0), market, Decimal(0), seeds=5
    )
    assert chance is not None
    assert (chance.low, chance.high, chance.worse) == (Notional(10), Notional(10), Decimal(0))


@given(
    market=st.dictionaries(st.sampled_from("ABC"), prices, min_size=1),
    sizes=st.lists(st.integers(1, 10_000), min_size=1, max_size=5),
    candles=st.integers(1, 40),
    fee=st.sampled_from([Decimal(0), FEE]),
)
def test_the_same_seeds_give_the_same_interval_in_order_and_within_what_can_be(
    market: dict[str, list[Price]], sizes: list[int], candles: int, fee: Decimal
) -> None:
    stakes = [Stake(invested=Notional(size), candles=candles) for size in sizes]
    chance = traded_at_random(stakes, Notional(0), market, fee, seeds=20)
    assert chance == traded_at_random(stakes, Notional(0), market, fee, seeds=20)
    assert chance is not None
    assert chance.low <= chance.median <= chance.high
    assert chance.low >= -Notional(sum(sizes)) * (1 + fee)
    assert 0 <= chance.worse <= 1
