"""What the risk rules together make of proposals and positions; each by itself: `test_rules`."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.domain.account import Account, Holding
from oxbot.domain.decision import Action
from oxbot.domain.entries import judge, judge_all
from oxbot.domain.exits import demanded_exits, losses_at_their_limit
from oxbot.domain.market import ClockReading, Quote
from oxbot.domain.money import Notional, Price, Quantity, floor_to
from oxbot.domain.orders import Purpose
from oxbot.domain.portfolio import Portfolio
from oxbot.domain.risk import Marks, Ruling, Verdict, reserved_by
from tests.support.risk import (
    INSTRUMENT,
    LIMITS,
    context,
    holding,
    owning,
    price,
    wish,
)
from tests.support.trading import BTC, ETH, NOW_MS

pytestmark = pytest.mark.critical

BOTH = {BTC: price(), ETH: price(symbol=ETH)}


def ruled(verdict: Verdict | None) -> str:
    """The rule of a refusal, or the ruling."""
    assert verdict
    return verdict.rule if verdict.ruling is Ruling.REFUSED else verdict.ruling.value


def test_an_age_limit_scales_with_a_venue_that_runs_faster() -> None:
    fast = ClockReading(venue_ms=NOW_MS, wall_ms=NOW_MS, rate=Decimal(30))
    at_limit, beyond = price(age_ms=450_000), price(age_ms=450_001)
    assert ruled(judge(wish(), context(clock=fast, quotes={BTC: at_limit}))) == "approved"
    assert ruled(judge(wish(), context(clock=fast, quotes={BTC: beyond}))) == "price age"


def test_to_hold_needs_no_verdict() -> None:
    assert judge(wish(action=Action.HOLD), context()) is None


def test_closing_what_is_held_needs_no_price() -> None:
    situation = context(portfolio=owning(holding()), quotes={})
    assert ruled(judge(wish(action=Action.CLOSE), situation)) == "approved"


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
        (Portfolio(cash=Notional(10_000), reserved=Notional("8489.98")), "reduced", "0.0100"),
        (Portfolio(cash=Notional(10_000), reserved=Notional("8489.99")), "minimum notional", None),
        (Portfolio(cash=Notional(10_000), reserved=Notional("8498.90")), "size", None),
        (Portfolio(cash=Notional(10_000), reserved=Notional(9999)), "size", None),
        (owning(holding("7", symbol=ETH), cash="3000"), "approved", "1.4970"),
        (owning(holding("8.5", symbol=ETH), cash="1500"), "size", None),
        (Portfolio(cash=Notional(0)), "daily loss", None),
    ],
)
def test_an_entry_is_cut_to_what_exposure_and_cash_leave(
    portfolio: Portfolio, ruling: str, quantity: str | None
) -> None:
    verdict = judge(wish(), context(portfolio=portfolio, quotes=BOTH))
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
    owned = Notional(cash)
    portfolio = Portfolio(cash=owned, reserved=min(owned, Notional(reserved)))
    situation = context(
        portfolio=portfolio,
        quotes={BTC: price(str(bid))},
        seen={BTC: Price(bid)},
        marks=Marks(day_start=owned),
    )
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
    verdicts = demanded_exits(situation)
    assert [verdict.purpose for verdict in verdicts] == ([purpose] if purpose else [])
    assert all(verdict.ruling is Ruling.DEMANDED for verdict in verdicts)
    assert all(verdict.quantity == 1 for verdict in verdicts)


@pytest.mark.parametrize("quotes", [{}, {BTC: price("900", age_ms=15_001)}])
def test_a_price_too_old_triggers_no_stop_and_that_is_noted(quotes: dict[str, Quote]) -> None:
    situation = context(portfolio=owning(holding()), quotes=quotes)
    (verdict,) = demanded_exits(situation)
    assert (verdict.ruling, verdict.rule, verdict.quantity) == (Ruling.NOTED, "price age", None)
    assert not verdict.ruling.leads_to_an_order


def test_flattening_demands_every_position_at_any_price_but_not_twice() -> None:
    held = {BTC: holding("1.00005", held_s=1), ETH: holding("2", symbol=ETH)}
    situation = context(
        portfolio=Portfolio(cash=Notional(1), positions=held),
        quotes={},
        busy=frozenset({ETH}),
    )
    (verdict,) = demanded_exits(replace(situation, flatten=True))
    assert (verdict.symbol, verdict.purpose) == (BTC, Purpose.FLATTEN)
    assert verdict.quantity == Decimal("1.0000")


@pytest.mark.parametrize("flatten", [True, False])
def test_what_is_too_little_to_be_sold_is_noted_instead_of_demanded(*, flatten: bool) -> None:
    situation = context(portfolio=owning(holding("0.00099")), quotes={BTC: price("900")})
    (verdict,) = demanded_exits(replace(situation, flatten=flatten))
    assert (verdict.ruling, verdict.quantity) == (Ruling.NOTED, None)
    assert "too little" in verdict.reason


@pytest.mark.parametrize(
    ("bid", "ask", "purpose"),
    [
        ("1034.9", "1034.9", None),
        ("1034.8", "1035", Purpose.STOP),
        ("1040", "1040.1", Purpose.STOP),
        ("929.9", "930.1", None),
        ("929.9", "930", Purpose.TARGET),
        ("900", "900", Purpose.TARGET),
    ],
)
def test_a_short_is_closed_by_the_ask_with_its_stop_above(
    bid: str, ask: str, purpose: Purpose | None
) -> None:
    owed = holding()
    owed = owed.model_copy(update={"quantity": -owed.quantity, "cost": -owed.cost})
    situation = context(portfolio=owning(owed, "11000"), quotes={BTC: price(bid, ask)})
    verdicts = demanded_exits(situation)
    assert [verdict.purpose for verdict in verdicts] == ([purpose] if purpose else [])
    assert all(verdict.quantity == 1 and "ask" in verdict.figures for verdict in verdicts)


@pytest.mark.parametrize("flatten", [True, False])
def test_what_is_halted_is_noted_instead_of_demanded(*, flatten: bool) -> None:
    halted = {BTC: INSTRUMENT.model_copy(update={"live": False})}
    situation = context(
        portfolio=owning(holding()), quotes={BTC: price("900")}, instruments=halted, flatten=flatten
    )
    (verdict,) = demanded_exits(situation)
    assert (verdict.ruling, verdict.quantity) == (Ruling.NOTED, None)
    assert "has halted this coin" in verdict.reason


def test_the_same_coin_twice_in_one_decision_is_bought_once() -> None:
    first, second = judge_all([wish(), wish(fraction=Decimal("0.5"))], context())
    assert (first.ruling, ruled(second)) == (Ruling.APPROVED, "duplicate")
    refused, again = judge_all([wish(confidence=Decimal("0.1")), wish()], context())
    assert (ruled(refused), ruled(again)) == ("confidence", "duplicate")


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"portfolio": owning(holding("8", symbol=ETH), cash="2000")}, "exposure"),
        ({"account": Account(cash=Notional(0), reserved=Notional(8_000))}, "account exposure"),
        (
            {"account": Account(holdings={ETH: Holding(quantity=Quantity(90), cost=Notional(1))})},
            "account exposure",
        ),
        (
            {
                "portfolio": Portfolio(cash=Notional(1000)),
                "marks": Marks(day_start=Notional(1000)),
                "limits": LIMITS.model_copy(
                    update={
                        "max_position": Decimal(2),
                        "max_exposure": Decimal(3),
                        "max_account_exposure": Decimal(3),
                    }
                ),
            },
            "free cash",
        ),
    ],
)
def test_what_reduces_an_entry_is_named(changes: dict[str, object], rule: str) -> None:
    verdict = judge(wish(), context(**{"quotes": BOTH, **changes}))
    assert verdict
    assert (verdict.ruling, verdict.rule) in [(Ruling.REDUCED, rule), (Ruling.REFUSED, "size")]


def test_a_nearer_stop_and_target_of_the_model_protect_the_entry() -> None:
    plain = judge(wish(), context())
    assert plain
    assert (plain.stop, plain.target) == (LIMITS.stop, LIMITS.target)
    nearer = judge(wish(stop_price=Price(980), target_price=Price(1_050)), context())
    assert nearer
    assert (nearer.stop, nearer.target) == (Decimal("0.02"), Decimal("0.05"))


LOST = Marks(day_start=Notional(10_000), high_water=Notional(10_000))


@pytest.mark.parametrize(
    ("cash", "running", "expected"),
    [
        ("9700.01", True, []),
        ("9700", True, [("daily loss", Ruling.NOTED)]),
        ("9000.01", True, [("daily loss", Ruling.NOTED)]),
        ("9000", True, [("drawdown", Ruling.HALTED), ("daily loss", Ruling.NOTED)]),
        ("9000", False, [("drawdown", Ruling.NOTED), ("daily loss", Ruling.NOTED)]),
    ],
)
def test_a_drawdown_halts_a_running_bot_and_a_days_loss_is_noted(
    cash: str, expected: list[tuple[str, Ruling]], *, running: bool
) -> None:
    situation = context(portfolio=Portfolio(cash=Notional(cash)), marks=LOST, running=running)
    verdicts = losses_at_their_limit(situation)
    assert [(verdict.rule, verdict.ruling) for verdict in verdicts] == expected
    assert all(v.symbol == "*" and v.reason and v.figures for v in verdicts)


@pytest.mark.parametrize("cash", ["0", "5000"])
def test_an_old_price_trips_no_switch(cash: str) -> None:
    """The position is worth 900 by a price that nobody trusts any more."""
    old = {BTC: price("900", age_ms=15_001)}
    situation = context(portfolio=owning(holding(), cash), quotes=old, marks=LOST)
    assert situation.stale == (BTC,)
    assert losses_at_their_limit(situation) == []
    flattening = replace(situation, limits=LIMITS.model_copy(update={"flatten_at_limit": True}))
    (noted,) = demanded_exits(flattening)
    assert (noted.ruling, noted.rule) == (Ruling.NOTED, "price age")


@pytest.mark.parametrize("cash", ["7999", "8700"])
def test_a_loss_at_its_limit_sells_everything_where_it_is_set_to(cash: str) -> None:
    flattening = LIMITS.model_copy(update={"flatten_at_limit": True})
    situation = context(portfolio=owning(holding(), cash), marks=LOST)
    assert demanded_exits(situation) == []
    (verdict,) = demanded_exits(replace(situation, limits=flattening))
    assert (verdict.ruling, verdict.purpose) == (Ruling.DEMANDED, Purpose.FLATTEN)
    assert verdict.rule == ("drawdown" if cash == "7999" else "daily loss")


def test_a_days_loss_that_was_recorded_holds_for_the_day_although_equity_came_back() -> None:
    marks = Marks(day_start=Notional(10_000), day_lowest=Notional(9_700))
    assert ruled(judge(wish(), context(marks=marks))) == "daily loss"
    tomorrow = Marks(day_start=Notional(9_700))
    assert ruled(judge(wish(), context(marks=tomorrow))) == "approved"
