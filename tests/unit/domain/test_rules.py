"""Each risk rule by itself: just below its limit, at it, and just above it.

A rule that has no row in the table fails the test.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import pytest
from _pytest.mark import ParameterSet

from oxbot.domain.account import Account, Holding
from oxbot.domain.bot import RiskLimits
from oxbot.domain.decision import Action
from oxbot.domain.entries import judge
from oxbot.domain.exits import demanded_exits
from oxbot.domain.money import Notional, Price, Quantity
from oxbot.domain.orders import Purpose
from oxbot.domain.portfolio import Portfolio
from oxbot.domain.risk import Context, Marks, Ruling
from oxbot.domain.rules import (
    ALL_RULES,
    CLOSE_RULES,
    ENTRY_RULES,
    EXIT_RULES,
    LEAST_RULES,
    REDUCE_RULES,
    SIZE_RULES,
    closing,
    leaving,
    losses,
    pace,
    plan,
    prices,
    proposals,
    sizes,
)
from oxbot.domain.rules.base import ExitRule, LeastRule, ProposalRule, Rule, SizeRule, Sizing
from tests.support.risk import INSTRUMENT, LIMITS, context, holding, owning, price, wish
from tests.support.trading import BTC, ETH, NOW_MS

pytestmark = pytest.mark.critical

D = Decimal


@dataclass(frozen=True)
class Case:
    """Where a figure is beside its limit, whether the rule acts there, and what makes it so.

    `wish` changes the proposal, `around` the context; `size` is the quantity or the cost.
    """

    where: str
    acts: bool
    wish: dict[str, Any] = field(default_factory=dict)
    around: dict[str, Any] = field(default_factory=dict)
    size: Decimal | None = None


def below(**what: Any) -> Case:  # noqa: ANN401 - the fields of a Case
    return Case("below", **{"acts": False, **what})


def at(**what: Any) -> Case:  # noqa: ANN401 - the fields of a Case
    return Case("at", **{"acts": False, **what})


def above(**what: Any) -> Case:  # noqa: ANN401 - the fields of a Case
    return Case("above", **{"acts": False, **what})


def other(**what: Any) -> Case:  # noqa: ANN401 - the fields of a Case
    return Case("other", **{"acts": True, **what})


def quoted(*args: Any, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401 - those of a price
    return {"quotes": {BTC: price(*args, **kwargs)}}


def beside(age_ms: int) -> dict[str, Any]:
    """ETH is held at a price of some age."""
    quotes = {BTC: price(), ETH: price(symbol=ETH, age_ms=age_ms)}
    return {"portfolio": owning(holding(symbol=ETH)), "quotes": quotes}


def worth(cash: str, **marks: Any) -> dict[str, Any]:  # noqa: ANN401 - the fields of Marks
    known = {"day_start": Notional(cash), **marks}
    return {"portfolio": Portfolio(cash=Notional(cash)), "marks": Marks(**known)}


def held(quantity: str = "1", held_s: int = 1000, **around: Any) -> dict[str, Any]:  # noqa: ANN401 - any field of a Context
    return {"portfolio": owning(holding(quantity, held_s)), **around}


def trailing(**around: Any) -> dict[str, Any]:  # noqa: ANN401 - any field of a Context
    """A position that may fall by a tenth from the best bid so far, 1,100."""
    guards = {"trail": D("0.1"), "best": Price(1100)}
    return {"portfolio": owning(holding().model_copy(update=guards)), **around}


def lost(cash: str, **marks: Any) -> dict[str, Any]:  # noqa: ANN401 - the fields of Marks
    """A position worth 1,000 beside some cash, in a bot that flattens at its limits."""
    limits = RiskLimits(flatten_at_limit=True)
    known = {"day_start": Notional(1), **marks}
    return {
        "portfolio": owning(holding(), cash),
        "limits": limits,
        "marks": Marks(**known),
    }


def trailed(bid: str = "1078", age_ms: int = 0, trail: str | None = "0.02") -> dict[str, Any]:
    """A position with its stop 2 % below the best bid, which was 1,100, and its target far off."""
    changes = {"trail": trail and D(trail), "best": Price(1_100), "target": D("0.5")}
    return {
        "portfolio": owning(holding().model_copy(update=changes)),
        **quoted(bid, age_ms=age_ms),
    }


def no_fees(target: str) -> dict[str, Any]:
    return {"wish": {"target_price": Price(target)}, "around": {"fee_rate": D(0)}}


HALTED: Final[dict[str, Any]] = {
    "instruments": {BTC: INSTRUMENT.model_copy(update={"live": False})}
}
NINE_ETH: Final = Account(holdings={ETH: Holding(quantity=Quantity(9), cost=Notional(1))})
WITH_ETH: Final = {"quotes": {BTC: price(), ETH: price(symbol=ETH)}}

TABLE: Final[dict[type, list[Case]]] = {
    proposals.Listed: [
        other(around={"symbols": (ETH,)}),
        other(around={"instruments": {}}),
        other(acts=False),
    ],
    proposals.Live: [other(around=HALTED), other(acts=False)],
    proposals.Duplicate: [
        other(around={"portfolio": owning(holding())}),
        other(around={"busy": frozenset({BTC})}),
        other(around={"decided": frozenset({BTC})}),
        other(acts=False, around={"busy": frozenset({ETH}), "decided": frozenset({ETH})}),
    ],
    proposals.Confidence: [
        below(wish={"confidence": D("0.59")}, acts=True),
        at(wish={"confidence": D("0.6")}),
        above(wish={"confidence": D("0.61")}),
    ],
    proposals.FeeGate: [
        below(wish={"expected_move": D("0.00399")}, acts=True),
        at(wish={"expected_move": D("0.004")}),
        above(wish={"expected_move": D("0.00401")}),
    ],
    prices.Book: [
        below(around=quoted("1000", "999.9"), acts=True),
        at(around=quoted("1000", "1000")),
        above(around=quoted("1000", "1000.1")),
        other(around={"quotes": {}}),
    ],
    prices.PriceAge: [
        below(around=quoted(age_ms=14_999)),
        at(around=quoted(age_ms=15_000)),
        above(around=quoted(age_ms=15_001), acts=True),
        other(around=quoted(age_ms=-15_001)),
    ],
    prices.Spread: [
        below(around=quoted("1000", "1001.9")),
        at(around=quoted("1000", "1002")),
        above(around=quoted("1000", "1002.1"), acts=True),
    ],
    prices.PriceMoved: [
        below(around=quoted("1002.9")),
        at(around=quoted("1003")),
        above(around=quoted("1003.1"), acts=True),
        other(around=quoted("997"), acts=False),
        other(around=quoted("996.9")),
        other(around={"seen": {}}),
    ],
    plan.PriceBand: [
        below(wish={"stop_price": Price("499.99")}, acts=True),
        at(wish={"stop_price": Price(500)}),
        above(wish={"target_price": Price("2000.01")}, acts=True),
        other(wish={"target_price": Price(2000)}, acts=False),
        other(wish={"stop_price": Price("1E-17"), "target_price": Price(1050)}),
        other(wish={"target_price": Price(10**17)}),
        other(
            wish={"stop_price": Price(400), "target_price": Price(2500)},
            around={"limits": RiskLimits(stop=D("0.6"), target=D("1.5"))},
            acts=False,
        ),
    ],
    plan.StopSide: [
        below(wish={"stop_price": Price("999.99")}),
        at(wish={"stop_price": Price(1000)}, acts=True),
        above(wish={"stop_price": Price("1000.01")}, acts=True),
        other(wish={"target_price": Price(1000)}),
        other(wish={"target_price": Price("1000.01")}, acts=False),
        other(wish={"stop_price": Price("999.9999999999999")}),
        other(wish={"target_price": Price("1000.0000000000001")}, around={"fee_rate": D(0)}),
    ],
    plan.StopWidth: [
        below(wish={"stop_price": Price("964.99")}, acts=True),
        at(wish={"stop_price": Price(965)}),
        above(wish={"stop_price": Price("965.01")}),
        other(wish={"target_price": Price(1070)}, acts=False),
        other(wish={"target_price": Price("1070.01")}),
    ],
    plan.RewardRisk: [
        below(**no_fees("1052.49"), acts=True),
        at(**no_fees("1052.5")),
        above(**no_fees("1052.51")),
        other(wish={"target_price": Price("1057.50")}),
        other(wish={"target_price": Price("1057.51")}, acts=False),
    ],
    losses.KnownEquity: [
        below(around=beside(14_999)),
        at(around=beside(15_000)),
        above(around=beside(15_001), acts=True),
        other(around={"portfolio": owning(holding(symbol=ETH))}),
    ],
    losses.Drawdown: [
        below(around=worth("9000.01", high_water=Notional(10_000))),
        at(around=worth("9000", high_water=Notional(10_000)), acts=True),
        above(around=worth("8999.99", high_water=Notional(10_000)), acts=True),
        other(around=worth("1", high_water=None), acts=False),
    ],
    losses.DailyLoss: [
        below(around=worth("9700.01", day_start=Notional(10_000))),
        at(around=worth("9700", day_start=Notional(10_000)), acts=True),
        above(around=worth("9699.99", day_start=Notional(10_000)), acts=True),
        other(around=worth("10000", day_start=Notional(10_000), day_lowest=Notional(9_700))),
        other(
            around=worth("10000", day_start=Notional(10_000), day_lowest=Notional("9700.01")),
            acts=False,
        ),
    ],
    pace.Cooldown: [
        below(around={"last_exit_ms": {BTC: NOW_MS - 899_999}}, acts=True),
        at(around={"last_exit_ms": {BTC: NOW_MS - 900_000}}),
        above(around={"last_exit_ms": {BTC: NOW_MS - 901_000}}),
        other(around={"last_exit_ms": {ETH: NOW_MS}}, acts=False),
    ],
    pace.EntriesADay: [
        below(around={"entries_today": 19}),
        at(around={"entries_today": 20}, acts=True),
        above(around={"entries_today": 21}, acts=True),
    ],
    sizes.MaxPosition: [
        below(size=D("1499.99")),
        at(size=D(1500)),
        above(size=D("1500.01"), acts=True),
        other(size=D("750.01"), wish={"fraction": D("0.5")}),
        other(size=D(750), wish={"fraction": D("0.5")}, acts=False),
    ],
    sizes.MaxExposure: [
        below(
            size=D("499.99"),
            around={**beside(0), "portfolio": owning(holding("8", symbol=ETH), "2000")},
        ),
        at(
            size=D(500), around={**beside(0), "portfolio": owning(holding("8", symbol=ETH), "2000")}
        ),
        above(
            size=D("500.01"),
            around={**beside(0), "portfolio": owning(holding("8", symbol=ETH), "2000")},
            acts=True,
        ),
    ],
    sizes.MaxAccountExposure: [
        below(size=D("7149.99"), around={**WITH_ETH, "account": NINE_ETH}),
        at(size=D(7150), around={**WITH_ETH, "account": NINE_ETH}),
        above(size=D("7150.01"), around={**WITH_ETH, "account": NINE_ETH}, acts=True),
        other(size=D("8500.86"), around={"account": NINE_ETH}),
        other(size=D("8000.01"), around={"account": Account(reserved=Notional(500))}),
    ],
    sizes.FreeCash: [
        below(
            size=D("999.99"),
            around={"portfolio": Portfolio(cash=Notional(10_000), reserved=Notional(9_000))},
        ),
        at(
            size=D(1000),
            around={"portfolio": Portfolio(cash=Notional(10_000), reserved=Notional(9_000))},
        ),
        above(
            size=D("1000.01"),
            around={"portfolio": Portfolio(cash=Notional(10_000), reserved=Notional(9_000))},
            acts=True,
        ),
    ],
    sizes.Minimum: [
        below(size=D("0.0010"), acts=True),
        at(size=D("0.0011")),
        above(size=D("0.0012")),
        other(size=D(0)),
    ],
    sizes.MinimumNotional: [
        below(size=D("0.0099"), acts=True),
        at(size=D("0.0100")),
        above(size=D("0.0101")),
    ],
    closing.Held: [other(), other(around=held(), acts=False)],
    closing.NotInFlight: [
        other(around=held(busy=frozenset({BTC}))),
        other(around=held(busy=frozenset({ETH})), acts=False),
    ],
    closing.ShortestHold: [
        below(around=held(held_s=599), acts=True),
        at(around=held(held_s=600)),
        above(around=held(held_s=601)),
    ],
    closing.Sellable: [
        below(around=held("0.00099"), acts=True),
        at(around=held("0.001")),
        above(around=held("0.00101")),
        other(around={**held(), **HALTED}),
        other(around={**held(), "instruments": {}}),
    ],
    closing.Part: [
        other(wish={"fraction": D("0.0009")}, around=held()),
        other(wish={"fraction": D("0.001")}, around=held(), acts=False),
        other(wish={"fraction": D("0.4")}, around=held("0.002")),
        other(wish={"fraction": D("0.5")}, around=held("0.001"), acts=False),
    ],
    leaving.Flatten: [other(around=held(flatten=True)), other(around=held(), acts=False)],
    leaving.Stop: [
        below(around=held(**quoted("964.9")), acts=True),
        at(around=held(**quoted("965")), acts=True),
        above(around=held(**quoted("965.1"))),
        other(around=held(**quoted("965", age_ms=15_000))),
        other(around=held(**quoted("965", age_ms=15_001)), acts=False),
    ],
    leaving.TrailingStop: [
        below(around=trailing(**quoted("989.9")), acts=True),
        at(around=trailing(**quoted("990")), acts=True),
        above(around=trailing(**quoted("990.1"))),
        other(around=trailing(**quoted("990", age_ms=15_001)), acts=False),
        other(around=held(**quoted("990")), acts=False),
    ],
    leaving.TrailingStop: [
        below(around=trailed(bid="1077.9"), acts=True),
        at(around=trailed(bid="1078"), acts=True),
        above(around=trailed(bid="1078.1")),
        other(around=trailed(bid="1078", age_ms=15_001), acts=False),
        other(around=trailed(trail=None), acts=False),
    ],
    leaving.Target: [
        below(around=held(**quoted("1069.9"))),
        at(around=held(**quoted("1070")), acts=True),
        above(around=held(**quoted("1070.1")), acts=True),
        other(around=held(**quoted("1070", age_ms=15_001)), acts=False),
    ],
    leaving.LeaveByDrawdown: [
        below(around=lost("8000.01", high_water=Notional(10_000))),
        at(around=lost("8000", high_water=Notional(10_000)), acts=True),
        above(around=lost("7999.99", high_water=Notional(10_000)), acts=True),
        other(around={**lost("8000", high_water=Notional(10_000)), "limits": LIMITS}, acts=False),
        other(around={**lost("8000", high_water=Notional(10_000)), "quotes": {}}, acts=False),
    ],
    leaving.LeaveByDailyLoss: [
        below(around=lost("8700.01", day_start=Notional(10_000))),
        at(around=lost("8700", day_start=Notional(10_000)), acts=True),
        above(around=lost("8699.99", day_start=Notional(10_000)), acts=True),
        other(around={**lost("8700", day_start=Notional(10_000)), "limits": LIMITS}, acts=False),
        other(around={**lost("8700", day_start=Notional(10_000)), "quotes": {}}, acts=False),
    ],
    leaving.LongestHold: [
        below(around=held(held_s=13_799)),
        at(around=held(held_s=13_800), acts=True),
        above(around=held(held_s=13_801), acts=True),
        other(around=held(held_s=13_800, quotes={})),
    ],
}


def rows_of(rules: Sequence[Rule]) -> list[ParameterSet]:
    """The rows of the table for these rules."""
    return [
        pytest.param(rule, case, id=f"{rule.name}: {case.where}{'' if case.acts else ', passes'}")
        for rule in rules
        for case in TABLE[type(rule)]
    ]


def around(case: Case) -> Context:
    return context(**case.around)


def test_every_rule_has_its_rows_at_below_and_above_its_limit() -> None:
    assert {type(rule) for rule in ALL_RULES} == TABLE.keys()
    for rule in ALL_RULES:
        rows = TABLE[type(rule)]
        assert {row.acts for row in rows} == {True, False}, rule.name
        if rule.limits:
            assert {"below", "at", "above"} <= {row.where for row in rows}, rule.name


@pytest.mark.parametrize(("rule", "case"), rows_of(ENTRY_RULES))
def test_of_an_entry(rule: ProposalRule, case: Case) -> None:
    proposal, situation = wish(**case.wish), around(case)
    refusal = rule.check(proposal, situation)
    assert (refusal is not None) == case.acts
    if refusal is None:
        return
    assert refusal.reason
    assert tuple(refusal.figures) == rule.figures
    verdict = judge(proposal, situation)
    assert verdict
    assert (verdict.ruling, verdict.rule) == (Ruling.REFUSED, rule.name)
    assert (verdict.figures, verdict.quantity) == (refusal.figures, None)


@pytest.mark.parametrize(("rule", "case"), rows_of(CLOSE_RULES))
def test_of_a_wish_to_close(rule: ProposalRule, case: Case) -> None:
    proposal, situation = wish(action=Action.CLOSE, **case.wish), around(case)
    refusal = rule.check(proposal, situation)
    assert (refusal is not None) == case.acts
    verdict = judge(proposal, situation)
    assert verdict
    assert (verdict.rule == rule.name) == case.acts
    if refusal:
        assert tuple(refusal.figures) == rule.figures


@pytest.mark.parametrize(("rule", "case"), rows_of(REDUCE_RULES))
def test_of_a_wish_to_sell_a_part(rule: ProposalRule, case: Case) -> None:
    half = {"fraction": D("0.5"), **case.wish}
    proposal, situation = wish(action=Action.REDUCE, **half), around(case)
    refusal = rule.check(proposal, situation)
    assert (refusal is not None) == case.acts
    verdict = judge(proposal, situation)
    assert verdict
    assert (verdict.rule == rule.name) == case.acts
    if refusal:
        assert tuple(refusal.figures) == rule.figures
        assert (verdict.purpose, verdict.ruling) == (Purpose.DECISION, Ruling.REFUSED)


@pytest.mark.parametrize(("rule", "case"), rows_of(SIZE_RULES))
def test_of_what_an_entry_may_cost(rule: SizeRule, case: Case) -> None:
    assert case.size is not None
    assert (Notional(case.size) > rule.room(wish(**case.wish), around(case))) == case.acts


@pytest.mark.parametrize(("rule", "case"), rows_of(LEAST_RULES))
def test_of_what_is_too_little(rule: LeastRule, case: Case) -> None:
    assert case.size is not None
    refusal = rule.check(Sizing(BTC, Quantity(case.size), Price(1000)), around(case))
    assert (refusal is not None) == case.acts
    if refusal:
        assert tuple(refusal.figures) == rule.figures


@pytest.mark.parametrize(("rule", "case"), rows_of(EXIT_RULES))
def test_of_a_position(rule: ExitRule, case: Case) -> None:
    situation = around(case)
    demand = rule.check(situation.portfolio.positions[BTC], situation)
    assert (demand is not None) == case.acts
    if demand is None:
        return
    assert demand.purpose.is_exit
    assert tuple(demand.figures) == rule.figures
    (verdict,) = demanded_exits(situation)
    assert (verdict.ruling, verdict.rule) == (Ruling.DEMANDED, rule.name)


def test_every_rule_says_what_it_does_and_reads_limits_that_there_are() -> None:
    for rule in ALL_RULES:
        assert rule.name
        assert rule.formula
        assert rule.figures
        assert set(rule.limits) <= RiskLimits.model_fields.keys()
        assert all(f"`{name}`" in rule.formula for name in rule.limits), rule.name
