"""Statistics: by hand, and what must hold for any numbers."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from oxbot.domain.money import Notional
from oxbot.domain.statistics import (
    average,
    daily_returns,
    drawdown,
    net_pnl,
    profit_factor,
    ratio,
    sharpe,
    win_rate,
)

AMOUNTS = st.decimals("0.01", "1000000", places=2)
RETURNS = st.lists(st.decimals("-0.5", "0.5", places=4), min_size=10, max_size=60)


def test_net_pnl_is_what_is_left_of_equity_after_capital_and_models() -> None:
    assert net_pnl(Notional(1000), Notional("1010.5"), Decimal("0.7")) == Notional("9.8")


def test_a_drawdown_is_a_fraction_of_the_peak_before_it() -> None:
    assert drawdown(Notional(120), Notional(90)) == Decimal("0.25")
    assert drawdown(Notional(120), Notional(120)) == 0


def test_returns_are_from_day_to_day_and_nothing_on_days_without_a_record() -> None:
    days = [(100, Notional(110)), (101, Notional(99)), (104, Notional(99)), (105, Notional(198))]
    found = daily_returns(Notional(100), days)
    assert found == [Decimal(n) for n in ("0.1", "-0.1", "0", "0", "0", "1")]


def test_a_worth_of_nothing_has_no_returns() -> None:
    assert daily_returns(Notional(100), [(1, Notional(0)), (2, Notional(5))]) is None


def test_a_sharpe_ratio_by_hand() -> None:
    """Mean 0.001, sample deviation sqrt(10 * 0.0001 / 9): 0.0948683 * sqrt(365)."""
    returns = [Decimal("0.011"), Decimal("-0.009")] * 5
    assert sharpe(returns) == Decimal("1.81245690")


def test_a_sharpe_ratio_takes_ten_days_that_are_not_all_alike() -> None:
    assert sharpe([Decimal("0.01"), Decimal("0.02")] * 4) is None
    assert sharpe([Decimal("0.01")] * 30) is None
    assert sharpe([]) is None


@given(RETURNS)
def test_the_sharpe_ratio_changes_its_sign_with_the_returns_and_not_with_their_size(
    returns: list[Decimal],
) -> None:
    found = sharpe(returns)
    if found is None:
        assert len(set(returns)) == 1
        return
    against, doubled = sharpe([-value for value in returns]), sharpe([2 * v for v in returns])
    assert against == -found
    assert doubled == found
    assert sharpe(returns[::-1]) == found


@given(AMOUNTS, st.lists(st.tuples(st.integers(1, 5), AMOUNTS), min_size=1, max_size=20))
def test_returns_compounded_are_the_whole_gain_and_there_is_one_for_each_day(
    start: Decimal, steps: list[tuple[int, Decimal]]
) -> None:
    days, day = [], 0
    for gap, worth in steps:
        day += gap
        days.append((day, Notional(worth)))
    found = daily_returns(Notional(start), days)
    assert found is not None
    assert len(found) == days[-1][0] - days[0][0] + 1
    grown = Decimal(start)
    for value in found:
        grown *= 1 + value
    assert abs(grown - steps[-1][1]) < Decimal("1E-15")


@given(AMOUNTS, AMOUNTS)
def test_a_drawdown_is_between_nothing_and_the_whole(one: Decimal, other: Decimal) -> None:
    peak, trough = Notional(max(one, other)), Notional(min(one, other))
    assert 0 <= drawdown(peak, trough) <= 1


def test_rates_without_what_they_are_of_are_none() -> None:
    assert win_rate(0, 0) is None
    assert profit_factor(Notional(5), Notional(0)) is None
    assert average(Notional(0), 0) is None


def test_rates_by_hand() -> None:
    assert win_rate(2, 3) == Decimal("0.66666667")
    assert profit_factor(Notional(30), Notional(20)) == Decimal("1.5")
    assert average(Notional(-10), 4) == Notional("-2.5")
    assert ratio(Decimal(1), Decimal(8)) == Decimal("0.125")
