"""The gate: what has to change before a model is asked again."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.domain.bot import RiskLimits
from oxbot.domain.gate import Gate, Question, Shown
from oxbot.domain.market import Bar, Quote
from oxbot.domain.models import ModelChoice
from oxbot.domain.money import BASIS_POINT, Price, Quantity
from oxbot.domain.orders import Purpose
from oxbot.domain.portfolio import Position
from oxbot.domain.risk import WHOLE_ACCOUNT, Ruling, Verdict
from tests.support.risk import holding, price
from tests.support.trading import BTC, ETH

pytestmark = pytest.mark.critical

HOUR_MS = Bar.H1.length_ms
NOON_MS = 487_000 * HOUR_MS
QWEN = ModelChoice(provider="dashscope", model="qwen-plus")
GATE = Gate(bp=Decimal(15), choices=(QWEN,), wording="3")
NOTE = Verdict(
    symbol=WHOLE_ACCOUNT,
    purpose=Purpose.ENTRY,
    ruling=Ruling.NOTED,
    rule="daily loss",
    reason="the day lost too much",
    figures={"lost": "0.031"},
)
REFUSAL = NOTE.model_copy(update={"symbol": BTC, "ruling": Ruling.REFUSED, "rule": "cooldown"})
SHOWN = Shown(
    now_ms=NOON_MS + 60_000,
    symbols=(BTC, ETH),
    limits=RiskLimits(),
    fee_rate=Decimal("0.001"),
    positions={BTC: holding()},
    quotes={BTC: price("1000"), ETH: price("50", symbol=ETH)},
)
LATER = replace(SHOWN, now_ms=SHOWN.now_ms + 300_000)

bids = st.decimals("0.00001", "1000000", places=5).map(Price)
gates = st.decimals("0.01", "9999", places=2)
parts = st.decimals("0", "0.999999", places=6)
ways = st.sampled_from([1, -1])


def asked(**changes: object) -> Question:
    plain = Question(cycle=41, shown=SHOWN, decided=True, choice=QWEN, wording="3")
    return replace(plain, **changes)  # type: ignore[arg-type]


def reason(now: Shown, last: Question | None = None, gate: Gate = GATE) -> str | None:
    return gate.reason_to_ask(last or asked(), now)


def at(bid: Price) -> Quote:
    """A quote without a spread, so that its middle is its bid."""
    return price().model_copy(update={"bid": bid, "ask": bid, "last": bid})


def with_btc(shown: Shown, quote: Quote) -> Shown:
    return replace(shown, quotes={**shown.quotes, BTC: quote})


def test_where_nothing_has_changed_nobody_is_asked_and_that_is_said() -> None:
    assert reason(LATER) is None
    assert GATE.unchanged(41) == (
        "Not asked: nothing has changed since cycle 41 (no price by 15 bp, same positions and "
        "limits)."
    )


def test_the_first_question_is_asked_and_so_is_the_one_after_a_failure() -> None:
    assert GATE.reason_to_ask(None, LATER) == "no question was asked before"
    told = "no decision came of the question of cycle 41"
    assert reason(LATER, asked(decided=False)) == told


def test_what_nobody_can_compare_with_is_asked() -> None:
    assert reason(LATER, asked(shown=None)) == "what cycle 41 was shown is not on record"


@pytest.mark.parametrize("change", [{"choice": None}, {"choice": ModelChoice()}, {"wording": "2"}])
def test_another_model_or_another_wording_is_asked(change: dict[str, object]) -> None:
    told = "the model or the prompt's wording is another one"
    assert reason(LATER, asked(**change)) == told


def test_an_answer_of_a_fallback_counts_like_that_of_the_first_model() -> None:
    fallback = ModelChoice(provider="openai", model="gpt-4.1-mini")
    gate = replace(GATE, choices=(QWEN, fallback))
    assert reason(LATER, asked(choice=fallback), gate) is None


@given(st.integers(0, 3 * HOUR_MS), st.integers(0, 3 * HOUR_MS))
def test_a_question_is_asked_in_each_hour_of_venue_time_and_no_other(then: int, now: int) -> None:
    last = asked(shown=replace(SHOWN, now_ms=NOON_MS + then))
    found = reason(replace(SHOWN, now_ms=NOON_MS + now), last)
    assert found == (None if then // HOUR_MS == now // HOUR_MS else "an hour has begun")


@given(bids, gates, parts, ways)
def test_a_price_that_moves_by_less_than_the_gate_never_asks(
    was: Price, bp: Decimal, part: Decimal, way: int
) -> None:
    moved = was * (1 + way * bp * part * BASIS_POINT)
    before, now = with_btc(SHOWN, at(was)), with_btc(LATER, at(moved))
    assert reason(now, asked(shown=before), replace(GATE, bp=bp)) is None


@given(bids, gates, st.decimals("0", "100", places=4), ways)
def test_a_price_that_moves_by_the_gate_or_more_always_asks(
    was: Price, bp: Decimal, more: Decimal, way: int
) -> None:
    far = min(bp + more, Decimal(9_999)) if way < 0 else bp + more
    moved = was * (1 + way * far * BASIS_POINT)
    before, now = with_btc(SHOWN, at(was)), with_btc(LATER, at(moved))
    told = reason(now, asked(shown=before), replace(GATE, bp=bp))
    assert told is not None
    assert told.startswith(f"{BTC} has moved by")


@given(st.lists(st.decimals("-14.9", "14.9", places=1), max_size=20))
def test_small_moves_add_up_since_the_last_question_and_not_since_the_last_cycle(
    moves: list[Decimal],
) -> None:
    bid = Price(1000)
    for move in moves:
        bid = bid * (1 + move * BASIS_POINT)
        is_far = abs(bid - Price(1000)) * 10_000 >= Price(1000) * GATE.bp
        assert (reason(with_btc(LATER, at(bid))) is not None) == is_far


@given(st.permutations([BTC, ETH]), st.permutations([BTC, ETH]))
def test_the_order_of_coins_does_not_matter(then: list[str], now: list[str]) -> None:
    def ordered(shown: Shown, symbols: list[str]) -> Shown:
        quotes = {symbol: shown.quotes[symbol] for symbol in symbols}
        return replace(shown, symbols=tuple(symbols), quotes=quotes)

    assert reason(ordered(LATER, now), asked(shown=ordered(SHOWN, then))) is None


def test_a_coin_more_or_less_asks_and_so_does_one_without_a_price() -> None:
    assert reason(replace(LATER, symbols=(BTC,))) == "other coins are traded"
    less = {BTC: LATER.quotes[BTC]}
    told = f"{ETH} has no price to compare"
    assert reason(replace(LATER, quotes=less)) == told
    assert reason(LATER, asked(shown=replace(SHOWN, quotes=less))) == told


@pytest.mark.parametrize("name", RiskLimits.model_fields)
def test_any_changed_limit_asks(name: str) -> None:
    value = getattr(SHOWN.limits, name)
    other = not value if isinstance(value, bool) else 2 * (value or Decimal("0.1"))
    changed = SHOWN.limits.model_copy(update={name: other})
    assert reason(replace(LATER, limits=changed)) == "limits or fee have changed"


def test_another_fee_asks() -> None:
    assert reason(replace(LATER, fee_rate=Decimal("0.0008"))) == "limits or fee have changed"


POSITION_CHANGES = {
    "quantity": Quantity("0.5"),
    "version": 9,
    "stop": Decimal("0.01"),
    "target": Decimal("0.2"),
    "trail": Decimal("0.02"),
    "opened_ms": 1,
}


@pytest.mark.parametrize("name", sorted(POSITION_CHANGES))
def test_any_change_of_a_position_asks(name: str) -> None:
    changed = holding().model_copy(update={name: POSITION_CHANGES[name]})
    assert reason(replace(LATER, positions={BTC: changed})) == "positions have changed"


@pytest.mark.parametrize("positions", [{}, {ETH: holding(symbol=ETH)}])
def test_a_position_that_was_opened_or_closed_asks(positions: dict[str, Position]) -> None:
    assert reason(replace(LATER, positions=positions)) == "positions have changed"


def test_a_trailing_stop_that_only_follows_its_price_does_not_ask() -> None:
    """The price it follows has a rule of its own."""
    trailing = holding().model_copy(update={"trail": Decimal("0.02"), "best": Price(1000)})
    risen = trailing.model_copy(update={"best": Price(1001)})
    before = replace(SHOWN, positions={BTC: trailing})
    assert reason(replace(LATER, positions={BTC: risen}), asked(shown=before)) is None


@pytest.mark.parametrize("ruling", Ruling)
def test_whatever_the_rules_have_said_since_asks(ruling: Ruling) -> None:
    """An approval as well: where its order was not filled, no position tells of it."""
    said = REFUSAL.model_copy(update={"ruling": ruling})
    told = f"{BTC} was {ruling} by cooldown"
    assert reason(replace(LATER, verdicts=[said])) == told


def test_a_note_that_stands_and_was_told_does_not_ask_again_and_a_refusal_does() -> None:
    """A spent loss limit is noted in each cycle of a day; a refusal answers the last question."""
    again = NOTE.model_copy(update={"figures": {"lost": "0.032"}})
    before = replace(SHOWN, verdicts=[NOTE, REFUSAL])
    assert reason(replace(LATER, verdicts=[again]), asked(shown=before)) is None
    assert reason(replace(LATER, verdicts=[again])) == "the account was noted by daily loss"
    other = NOTE.model_copy(update={"rule": "drawdown"})
    assert reason(replace(LATER, verdicts=[again, other]), asked(shown=before)) is not None
    assert reason(replace(LATER, verdicts=[REFUSAL]), asked(shown=before)) is not None


def test_a_closed_trade_asks() -> None:
    assert reason(replace(LATER, closed=(ETH,))) == f"{ETH} was closed"
