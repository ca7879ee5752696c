"""What a row of trades comes to: figures by their definitions, on any row of trades."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from statistics import mean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.domain.decision import Action, Decision, Proposal
from oxbot.domain.memory import Performance, Result, Thesis, exit_reason, performance, sharpe_ratio
from oxbot.domain.money import Notional
from oxbot.domain.orders import Purpose

CENTS = st.integers(-100_000, 100_000).map(lambda cents: Notional(Decimal(cents) / 100))
RESULTS = st.lists(
    st.builds(Result, invested=st.integers(1, 10_000).map(Notional), net_pnl=CENTS),
    min_size=1,
    max_size=30,
)


def of(*nets: str, invested: str = "100") -> Performance:
    results = [Result(invested=Notional(invested), net_pnl=Notional(net)) for net in nets]
    found = performance(results)
    assert found
    return found


def numbers(results: Sequence[Result]) -> list[Decimal]:
    return [result.net_pnl.number for result in results]


def test_a_row_of_trades_is_summed_up() -> None:
    found = of("10", "-4", "-8", "6", "0")
    assert (found.trades, found.net_pnl) == (5, Notional(4))
    assert found.win_rate == Decimal("0.4")
    assert found.profit_factor == pytest.approx(Decimal(16) / Decimal(12))
    assert found.drawdown == Notional(12)


def test_of_no_trades_there_are_no_figures() -> None:
    assert performance([]) is None


def test_a_first_loss_is_a_fall_from_where_the_bot_began() -> None:
    assert of("-5", "3").drawdown == Notional(5)


def test_without_a_loss_there_is_no_profit_factor_and_without_a_spread_no_sharpe() -> None:
    found = of("5", "5")
    assert (found.profit_factor, found.sharpe, found.drawdown) == (None, None, Notional(0))
    assert of("5").sharpe is None


def test_the_sharpe_ratio_is_that_of_the_returns_not_of_the_amounts() -> None:
    small = Result(invested=Notional(100), net_pnl=Notional(1))
    large = Result(invested=Notional(1000), net_pnl=Notional(30))
    found = performance([small, large])
    assert found
    assert found.sharpe
    rates = [Fraction(1, 100), Fraction(3, 100)]
    assert abs(float(found.sharpe) - float(mean(rates)) / stdev(map(float, rates))) < 1e-12


@given(RESULTS)
def test_the_figures_are_those_of_their_definitions(results: list[Result]) -> None:
    found, nets = performance(results), numbers(results)
    assert found
    won, lost = sum(n for n in nets if n > 0), -sum(n for n in nets if n < 0)
    assert found.net_pnl.number == won - lost
    assert found.win_rate * len(nets) == pytest.approx(sum(n > 0 for n in nets))
    assert (found.profit_factor is None) == (lost == 0)
    if found.profit_factor is not None:
        assert found.profit_factor * lost == pytest.approx(won)
    sums = [sum(nets[:count]) for count in range(len(nets) + 1)]
    falls = [sums[high] - sums[low] for low in range(len(sums)) for high in range(low + 1)]
    assert found.drawdown.number == max(falls)


@given(RESULTS)
def test_a_drawdown_is_at_least_the_largest_loss_and_at_most_all_of_them(
    results: list[Result],
) -> None:
    found, losses = performance(results), [-n for n in numbers(results) if n < 0]
    assert found
    assert max(losses, default=0) <= found.drawdown.number <= sum(losses)


@given(RESULTS, st.integers(2, 9))
def test_the_sharpe_ratio_does_not_know_the_size_of_a_bet(results: list[Result], by: int) -> None:
    rates = [result.rate for result in results]
    once, scaled = sharpe_ratio(rates), sharpe_ratio([rate * by for rate in rates])
    assert (once is None) == (scaled is None)
    if once is not None and scaled is not None:
        assert abs(once - scaled) < Decimal("1E-20")
        assert once.copy_sign(1) == once or mean(rates) < 0


def test_a_thesis_is_what_the_decision_said_of_the_coin() -> None:
    proposal = Proposal(
        symbol="BTC/USDT",
        action=Action.BUY,
        confidence=Decimal(1),
        reason="it rises",
        invalidation="it falls",
    )
    decision = Decision(proposals=(proposal,), summary="s")
    assert Thesis.of(decision, "BTC/USDT") == Thesis(reason="it rises", invalidation="it falls")
    assert Thesis.of(decision, "ETH/USDT") == Thesis.of(None, "BTC/USDT") == Thesis()


def test_the_reason_of_an_exit_is_told_where_a_decision_made_it() -> None:
    assert exit_reason(Purpose.DECISION, "decision: it fell: a lot") == "it fell: a lot"
    assert exit_reason(Purpose.STOP, "stop: the bid is at or below the stop") == ""
