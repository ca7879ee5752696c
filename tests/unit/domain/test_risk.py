"""The risk rules, each at, below and above its limit; and what they leave of an entry."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.domain.bot import RiskLimits
from oxbot.domain.decision import Action, Proposal
from oxbot.domain.entries import judge
from oxbot.domain.exits import demanded_exits
from oxbot.domain.market import ClockReading, Instrument, Quote
from oxbot.domain.money import Notional, Price, Quantity, floor_to
from oxbot.domain.orders import Purpose
from oxbot.domain.portfolio import Portfolio, Position
from oxbot.domain.risk import Context, Ruling, Verdict, reserved_by
from tests.support.trading import BTC, ETH, NOW_MS

pytestmark = pytest.mark.critical

INSTRUMENT = Instrument(
    symbol=BTC, tick=Price("0.1"), lot=Quantity("0.0001"), minimum=Quantity("0.001")
)
LIMITS = RiskLimits()


def price(bid: str = "1000", ask: str | None = None, age_ms: int = 0, symbol: str = BTC) -> Quote:
    return Quote(
        symbol=symbol,
        bid=Price(bid),
        ask=Price(ask or bid),
        last=Price(bid),
        volume_24h=Quantity(1_000),
        exchange_ms=NOW_MS - age_ms,
        received_ms=NOW_MS,
        source="test",
    )


def context(**changes: Any) -> Context:  # noqa: ANN401 - any field of a Context
    sound = Context(
        limits=LIMITS,
        clock=ClockReading(venue_ms=NOW_MS, wall_ms=NOW_MS, rate=Decimal(1)),
        portfolio=Portfolio(cash=Notional(10_000)),
        quotes={BTC: price()},
        seen={BTC: Price(1000)},
        instruments={BTC: INSTRUMENT},
        symbols=(BTC,),
        fee_rate=Decimal("0.001"),
        entries_today=0,
        last_exit_ms={},
        busy=frozenset(),
    )
    return replace(sound, **changes)


def wish(**changes: Any) -> Proposal:  # noqa: ANN401 - any field of a Proposal
    sound = Proposal(
        symbol=BTC,
        action=Action.BUY,
        confidence=Decimal("0.9"),
        expected_move=Decimal("0.05"),
        reason="a trend",
    )
    return sound.model_copy(update=changes)


def holding(quantity: str = "1", held_s: int = 1000, symbol: str = BTC) -> Position:
    """A position bought at 1,000: stop at 965, target at 1,070."""
    amount, cost = Quantity(quantity), Quantity(quantity) * Price(1000)
    return Position(
        symbol=symbol,
        quantity=amount,
        cost=cost,
        entry_quantity=amount,
        entry_notional=cost,
        paid=cost,
        received=Notional(0),
        fees=Notional(0),
        opened_ms=NOW_MS - held_s * 1000,
        stop=LIMITS.stop,
        target=LIMITS.target,
        version=1,
    )


def owning(position: Position, cash: str = "9000") -> Portfolio:
    return Portfolio(cash=Notional(cash), positions={position.symbol: position})


def ruled(verdict: Verdict | None) -> str:
    """The rule of a refusal, or the ruling."""
    assert verdict
    return verdict.rule if verdict.ruling is Ruling.REFUSED else verdict.ruling.value


@pytest.mark.parametrize(
    ("proposal", "situation", "outcome"),
    [
        ({"confidence": Decimal("0.59")}, {}, "confidence"),
        ({"confidence": Decimal("0.6")}, {}, "approved"),
        ({"confidence": Decimal("0.61")}, {}, "approved"),
        ({"expected_move": Decimal("0.00399")}, {}, "fee gate"),
        ({"expected_move": Decimal("0.004")}, {}, "approved"),
        ({"expected_move": Decimal("0.00401")}, {}, "approved"),
        ({}, {"quotes": {}}, "price age"),
        ({}, {"quotes": {BTC: price(age_ms=14_999)}}, "approved"),
        ({}, {"quotes": {BTC: price(age_ms=15_000)}}, "approved"),
        ({}, {"quotes": {BTC: price(age_ms=15_001)}}, "price age"),
        ({}, {"quotes": {BTC: price("1000", "1001.9")}}, "approved"),
        ({}, {"quotes": {BTC: price("1000", "1002")}}, "approved"),
        ({}, {"quotes": {BTC: price("1000", "1002.1")}}, "spread"),
        ({}, {"quotes": {BTC: price("1000", "999.9")}}, "crossed book"),
        ({}, {"quotes": {BTC: price("1002.9")}}, "approved"),
        ({}, {"quotes": {BTC: price("1003")}}, "approved"),
        ({}, {"quotes": {BTC: price("1003.1")}}, "price moved"),
        ({}, {"quotes": {BTC: price("997")}}, "approved"),
        ({}, {"quotes": {BTC: price("996.9")}}, "price moved"),
        ({}, {"seen": {}}, "price seen"),
        ({}, {"last_exit_ms": {BTC: NOW_MS - 899_999}}, "cooldown"),
        ({}, {"last_exit_ms": {BTC: NOW_MS - 900_000}}, "approved"),
        ({}, {"last_exit_ms": {ETH: NOW_MS}}, "approved"),
        ({}, {"entries_today": 19}, "approved"),
        ({}, {"entries_today": 20}, "entries a day"),
        ({}, {"entries_today": 21}, "entries a day"),
        ({}, {"portfolio": owning(holding())}, "held already"),
        ({}, {"busy": frozenset({BTC})}, "in flight"),
        ({}, {"symbols": (ETH,)}, "symbol"),
        ({}, {"instruments": {}}, "symbol"),
    ],
)
def test_each_rule_of_entry_holds_at_its_limit_and_refuses_beyond(
    proposal: dict[str, Any], situation: dict[str, Any], outcome: str
) -> None:
    verdict = judge(wish(**proposal), context(**situation))
    assert ruled(verdict) == outcome
    assert verdict
    assert verdict.reason
    assert (verdict.quantity is None) == (outcome != "approved")


def test_an_age_limit_scales_with_a_venue_that_runs_faster() -> None:
    fast = ClockReading(venue_ms=NOW_MS, wall_ms=NOW_MS, rate=Decimal(30))
    at_limit, beyond = price(age_ms=450_000), price(age_ms=450_001)
    assert ruled(judge(wish(), context(clock=fast, quotes={BTC: at_limit}))) == "approved"
    assert ruled(judge(wish(), context(clock=fast, quotes={BTC: beyond}))) == "price age"


def test_to_hold_needs_no_verdict() -> None:
    assert judge(wish(action=Action.HOLD), context()) is None


@pytest.mark.parametrize(
    ("situation", "outcome"),
    [
        ({}, "not held"),
        ({"portfolio": owning(holding(held_s=599))}, "shortest hold"),
        ({"portfolio": owning(holding(held_s=600))}, "approved"),
        ({"portfolio": owning(holding()), "busy": frozenset({BTC})}, "in flight"),
        ({"portfolio": owning(holding("0.00099"))}, "size"),
        ({"portfolio": owning(holding("0.001"))}, "approved"),
        ({"portfolio": owning(holding()), "quotes": {}}, "approved"),
    ],
)
def test_a_model_may_close_what_is_held_long_enough_and_can_be_sold(
    situation: dict[str, Any], outcome: str
) -> None:
    assert ruled(judge(wish(action=Action.CLOSE), context(**situation))) == outcome


def test_an_entry_is_sized_by_the_limits_at_its_limit_price() -> None:
    verdict = judge(wish(), context())
    assert verdict
    assert verdict.limit_price == Decimal("1002.0")
    assert verdict.quantity == Decimal("1.4970")
    assert verdict.quantity * verdict.limit_price <= 1500 == 10_000 * LIMITS.max_position
    half = judge(wish(fraction=Decimal("0.5")), context())
    assert half
    assert half.quantity == Decimal("0.7485")


@pytest.mark.parametrize(
    ("portfolio", "ruling", "quantity"),
    [
        (Portfolio(cash=Notional(10_000), reserved=Notional(7000)), "approved", "1.4970"),
        (Portfolio(cash=Notional(10_000), reserved=Notional(7001)), "reduced", "1.4960"),
        (Portfolio(cash=Notional(10_000), reserved=Notional("8498.89")), "reduced", "0.0011"),
        (Portfolio(cash=Notional(10_000), reserved=Notional("8498.90")), "size", None),
        (Portfolio(cash=Notional(10_000), reserved=Notional(9999)), "size", None),
        (owning(holding("7", symbol=ETH), cash="3000"), "approved", "1.4970"),
        (owning(holding("8.5", symbol=ETH), cash="1500"), "size", None),
        (Portfolio(cash=Notional(0)), "size", None),
    ],
)
def test_an_entry_is_cut_to_what_exposure_and_cash_leave(
    portfolio: Portfolio, ruling: str, quantity: str | None
) -> None:
    verdict = judge(wish(), context(portfolio=portfolio))
    assert ruled(verdict) == ruling
    assert verdict
    assert verdict.quantity == (Decimal(quantity) if quantity else None)


@given(
    cash=st.decimals(0, 10**6, places=2),
    reserved=st.decimals(0, 10**6, places=2),
    bid=st.decimals("0.1", 10**5, places=1),
    fraction=st.decimals("0.01", 1, places=2),
)
def test_no_approved_entry_spends_more_than_is_free_or_allowed(
    cash: Decimal, reserved: Decimal, bid: Decimal, fraction: Decimal
) -> None:
    portfolio = Portfolio(cash=Notional(cash), reserved=Notional(min(cash, reserved)))
    situation = context(portfolio=portfolio, quotes={BTC: price(str(bid))}, seen={BTC: Price(bid)})
    verdict = judge(wish(fraction=fraction), situation)
    assert verdict
    if verdict.quantity is None:
        assert verdict.ruling is Ruling.REFUSED
        return
    spent = reserved_by(verdict)
    assert spent <= portfolio.cash - portfolio.reserved
    assert spent <= cash * LIMITS.max_position * fraction
    assert portfolio.reserved + spent <= cash * LIMITS.max_exposure
    left_after_the_fee = verdict.quantity * (1 - situation.fee_rate)
    assert left_after_the_fee >= INSTRUMENT.minimum, "what is bought can be sold again"
    assert verdict.quantity == floor_to(verdict.quantity, INSTRUMENT.lot)


@pytest.mark.parametrize(
    ("bid", "age_ms", "held_s", "purpose"),
    [
        ("965.1", 0, 1000, None),
        ("965", 0, 1000, Purpose.STOP),
        ("964.9", 0, 1000, Purpose.STOP),
        ("1069.9", 0, 1000, None),
        ("1070", 0, 1000, Purpose.TARGET),
        ("1070.1", 0, 1000, Purpose.TARGET),
        ("1000", 0, 13_799, None),
        ("1000", 0, 13_800, Purpose.HOLD),
        ("965", 0, 13_800, Purpose.STOP),
        ("1070", 0, 13_800, Purpose.TARGET),
        ("965", 15_000, 1000, Purpose.STOP),
        ("965", 15_001, 13_800, Purpose.HOLD),
    ],
)
def test_stop_comes_before_target_before_longest_hold(
    bid: str, age_ms: int, held_s: int, purpose: Purpose | None
) -> None:
    situation = context(
        portfolio=owning(holding(held_s=held_s)), quotes={BTC: price(bid, age_ms=age_ms)}
    )
    verdicts = demanded_exits(situation, flatten=False)
    assert [verdict.purpose for verdict in verdicts] == ([purpose] if purpose else [])
    assert all(verdict.ruling is Ruling.DEMANDED for verdict in verdicts)
    assert all(verdict.quantity == 1 for verdict in verdicts)


@pytest.mark.parametrize("quotes", [{}, {BTC: price("900", age_ms=15_001)}])
def test_a_price_too_old_triggers_no_stop_and_that_is_noted(quotes: dict[str, Quote]) -> None:
    situation = context(portfolio=owning(holding()), quotes=quotes)
    (verdict,) = demanded_exits(situation, flatten=False)
    assert (verdict.ruling, verdict.rule, verdict.quantity) == (Ruling.NOTED, "price age", None)
    assert not verdict.ruling.leads_to_an_order


def test_flattening_demands_every_position_at_any_price_but_not_twice() -> None:
    held = {BTC: holding("1.00005", held_s=1), ETH: holding("2", symbol=ETH)}
    situation = context(
        portfolio=Portfolio(cash=Notional(1), positions=held),
        quotes={},
        instruments={BTC: INSTRUMENT, ETH: INSTRUMENT.model_copy(update={"symbol": ETH})},
        busy=frozenset({ETH}),
    )
    (verdict,) = demanded_exits(situation, flatten=True)
    assert (verdict.symbol, verdict.purpose) == (BTC, Purpose.FLATTEN)
    assert verdict.quantity == Decimal("1.0000")


@pytest.mark.parametrize("flatten", [True, False])
def test_what_is_too_little_to_be_sold_is_noted_instead_of_demanded(*, flatten: bool) -> None:
    situation = context(portfolio=owning(holding("0.00099")), quotes={BTC: price("900")})
    (verdict,) = demanded_exits(situation, flatten=flatten)
    assert (verdict.ruling, verdict.quantity) == (Ruling.NOTED, None)
    assert "too little" in verdict.reason
