"""A position is reduced: by whole lots, never through zero, and what is left stays protected."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.domain.decision import Action
from oxbot.domain.entries import REST_TOO_LITTLE, judge
from oxbot.domain.ledger import must_balance
from oxbot.domain.money import Notional, Price, Quantity
from oxbot.domain.orders import Purpose
from oxbot.domain.portfolio import Position
from oxbot.domain.risk import Ruling, Verdict
from oxbot.domain.settlement import Settlement, settle
from tests.support.risk import INSTRUMENT, context, holding, owning, wish
from tests.support.trading import BTC, fill, leave

pytestmark = pytest.mark.critical

D = Decimal
FRACTIONS = st.decimals("0.0001", "1", places=4)
QUANTITIES = st.decimals("0.001", "50", places=6).map(Quantity)


def reduced(position: Position, fraction: Decimal) -> Verdict:
    proposal = wish(action=Action.REDUCE, fraction=fraction)
    verdict = judge(proposal, context(portfolio=owning(position)))
    assert verdict
    return verdict


def settled(position: Position, verdict: Verdict, price: str = "1100") -> Settlement:
    assert verdict.quantity
    order = leave("b1", 2, str(verdict.quantity), purpose=Purpose.DECISION)
    return settle(position, Notional(9000), order, fill(order, price), INSTRUMENT)


def test_a_part_is_sold_in_whole_lots() -> None:
    verdict = reduced(holding("1.00037"), D("0.33337"))
    assert (verdict.ruling, verdict.rule, verdict.purpose) == (
        Ruling.APPROVED,
        "decision",
        Purpose.DECISION,
    )
    assert verdict.quantity == Quantity("0.3334")
    assert verdict.figures["rest"] == "0.66697"
    assert verdict.reason == "a trend"


@pytest.mark.parametrize(
    ("held", "fraction", "sold"),
    [
        ("0.0020", "0.5", "0.001"),
        ("0.0020", "0.51", "0.001"),
        ("0.0019", "0.6", "0.0019"),
        ("0.00191", "0.99", "0.0019"),
        ("1", "0.9995", "1"),
        ("1", "0.999", "0.999"),
        ("1.00009", "1", "1"),
    ],
)
def test_all_is_sold_where_the_rest_could_not_be(held: str, fraction: str, sold: str) -> None:
    verdict = reduced(holding(held), D(fraction))
    assert verdict.quantity == Quantity(sold)
    whole = verdict.quantity == INSTRUMENT.whole_lots(Quantity(held))
    assert verdict.reason.startswith(REST_TOO_LITTLE) == (whole and fraction != "1")


def test_the_minimum_hold_applies_as_to_a_close() -> None:
    young = context(portfolio=owning(holding(held_s=599)))
    verdict = judge(wish(action=Action.REDUCE, fraction=D("0.5")), young)
    assert verdict
    assert (verdict.ruling, verdict.rule) == (Ruling.REFUSED, "shortest hold")


def test_what_is_left_keeps_entry_stop_target_and_hold_and_has_a_new_version() -> None:
    before = holding("1").model_copy(update={"trail": D("0.02"), "best": Price(1200)})
    done = settled(before, reduced(before, D("0.25")))
    assert done.trade is None
    assert done.position
    left = done.position
    assert (left.quantity, left.cost) == (Quantity("0.75"), Notional(750))
    for name in ("average_price", "stop_price", "target_price", "trail_price", "opened_ms"):
        assert getattr(left, name) == getattr(before, name), name
    assert left.version == before.version + 1


@given(QUANTITIES, st.lists(FRACTIONS, min_size=1, max_size=6))
def test_whatever_is_reduced_the_books_balance_and_a_position_ends_in_one_trade(
    quantity: Quantity, fractions: list[Decimal]
) -> None:
    """Parts, then a close: what was sold is what was held, but for dust."""
    position: Position | None = holding(str(quantity))
    sold, trades = Quantity(0), []
    for fraction in [*fractions, D(1)]:
        if position is None:
            break
        verdict = reduced(position, fraction)
        if verdict.ruling is Ruling.REFUSED:
            assert verdict.rule == "part"
            continue
        done = settled(position, verdict)
        must_balance(done.entries)
        assert verdict.quantity
        sold += verdict.quantity
        assert done.position is None or INSTRUMENT.is_tradable(done.position.quantity)
        assert done.position is None or done.position.average_price == position.average_price
        dust, position = done.dust, done.position
        trades += [done.trade] if done.trade else []
    assert position is None
    (trade,) = trades
    assert sold + dust == quantity
    assert (trade.quantity, trade.symbol, trade.exit) == (quantity, BTC, Purpose.DECISION)
