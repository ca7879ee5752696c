"""The generated market: the same for everybody, and like a market."""

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxbot.simulator.candles import CLOSE, HIGH, LOW, OPEN, VOLUME, Rows
from oxbot.simulator.defaults import DEFAULT_SEED
from oxbot.simulator.generator import (
    CACHED_CHUNKS,
    DEFAULT_START_MS,
    END_MS,
    FIRST_MS,
    STEP_MS,
    GeneratedMarket,
    first_candles,
)
from oxbot.simulator.model import CHUNK, COINS
from oxbot.simulator.timeframes import DAY_MS
from tests.support.examples import examples

HALF_YEAR_MS = 182 * DAY_MS


@pytest.fixture(scope="module")
def half_year() -> dict[str, Rows]:
    market = GeneratedMarket(DEFAULT_SEED)
    return {
        symbol: market.bars(symbol, FIRST_MS, FIRST_MS + HALF_YEAR_MS).rows
        for symbol in market.symbols
    }


def returns(rows: Rows) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.diff(np.log(rows[:, CLOSE]))


@settings(max_examples=examples(10))
@given(st.integers(0, 2**63), st.integers(0, 90), st.integers(0, 90))
def test_the_order_of_requests_does_not_change_the_market(
    seed: int, one_day: int, other_day: int
) -> None:
    spans = [
        (FIRST_MS + day * DAY_MS, FIRST_MS + (day + 3) * DAY_MS) for day in (one_day, other_day)
    ]
    answers = []
    for order in permutations(spans):
        market = GeneratedMarket(seed)
        answers.append({span: market.bars("ETH-USDT", *span).rows.tolist() for span in order})
    assert answers[0] == answers[1]


def test_a_week_that_memory_has_dropped_comes_back_the_same() -> None:
    market = GeneratedMarket(3)
    week_ms = CHUNK * STEP_MS
    before = market.bars("BTC-USDT", FIRST_MS, FIRST_MS + week_ms).rows
    for week in range(1, CACHED_CHUNKS + 2):
        market.bars("BTC-USDT", FIRST_MS + week * week_ms, FIRST_MS + week * week_ms + STEP_MS)
    assert len(market._chunks) == CACHED_CHUNKS
    assert np.array_equal(market.bars("BTC-USDT", FIRST_MS, FIRST_MS + week_ms).rows, before)


def test_the_market_of_a_seed_is_the_same_today_as_when_this_was_written() -> None:
    candles = first_candles(seed=1, count=3, start_ms=DEFAULT_START_MS)
    closes = {symbol: [str(candle.close) for candle in rows] for symbol, rows in candles.items()}
    assert closes == {
        "BTC-USDT": ["92418.7", "92444.5", "92444.8"],
        "ETH-USDT": ["3082.28", "3080.74", "3079.92"],
        "SOL-USDT": ["183.64", "183.38", "183.93"],
        "BNB-USDT": ["728.7", "728.7", "728.7"],
        "XRP-USDT": ["2.4754", "2.4794", "2.4865"],
    }


def test_candles_are_whole_and_join(half_year: dict[str, Rows]) -> None:
    for rows in half_year.values():
        assert (rows[:, LOW] <= rows[:, [OPEN, CLOSE]].min(axis=1)).all()
        assert (rows[:, HIGH] >= rows[:, [OPEN, CLOSE]].max(axis=1)).all()
        assert (rows[1:, OPEN] == rows[:-1, CLOSE]).all()
        assert (rows[:, VOLUME] > 0).all()
        assert (rows[:, LOW] > 0).all()


def test_returns_have_fat_tails_and_volatility_clusters(half_year: dict[str, Rows]) -> None:
    for coin in COINS:
        moves = returns(half_year[coin.symbol])
        size = np.abs(moves)
        kurtosis = ((moves - moves.mean()) ** 4).mean() / moves.var() ** 2
        assert 6 < kurtosis < 60
        for lag in (1, 12, 36):
            assert np.corrcoef(size[:-lag], size[lag:])[0, 1] > 0.1
        assert coin.volatility / 2 < moves.std() < coin.volatility * 2


def test_coins_move_together_but_not_as_one(half_year: dict[str, Rows]) -> None:
    for one, other in combinations(half_year.values(), 2):
        assert 0.5 < np.corrcoef(returns(one), returns(other))[0, 1] < 0.95


def test_volume_rises_with_the_range(half_year: dict[str, Rows]) -> None:
    for rows in half_year.values():
        ranges = rows[:, HIGH] - rows[:, LOW] + 1
        assert np.corrcoef(np.log(ranges), np.log(rows[:, VOLUME]))[0, 1] > 0.6


def test_another_seed_is_another_market() -> None:
    one, other = (first_candles(seed, 50)["BTC-USDT"] for seed in (1, 2))
    assert [candle.close for candle in one] != [candle.close for candle in other]


def test_a_month_of_history_lies_before_the_default_start() -> None:
    assert DEFAULT_START_MS - FIRST_MS >= 30 * DAY_MS
    month = GeneratedMarket(1).bars("XRP-USDT", DEFAULT_START_MS - 30 * DAY_MS, DEFAULT_START_MS)
    assert len(month) == 30 * 288


@pytest.mark.parametrize(
    ("from_ms", "to_ms", "count"),
    [
        (0, FIRST_MS + 2 * STEP_MS, 2),
        (FIRST_MS + 1, FIRST_MS + STEP_MS + 1, 1),
        (10**18, 10**18, 0),
        (FIRST_MS + STEP_MS, FIRST_MS, 0),
        (END_MS, END_MS + DAY_MS, 0),
    ],
)
def test_what_is_outside_the_market_is_not_there(from_ms: int, to_ms: int, count: int) -> None:
    assert len(GeneratedMarket(1).bars("BTC-USDT", from_ms, to_ms)) == count
