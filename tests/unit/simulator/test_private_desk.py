"""What the desk does where two things meet in one moment."""

from dataclasses import replace
from decimal import Decimal

import pytest

from oxbot.simulator.private.deals import Dealing
from oxbot.simulator.private.events import AlgoArmed
from oxbot.simulator.private.terms import OrderType, Side, State
from oxbot.simulator.private.wishes import ItemError
from tests.support.simulated_account import spec_of
from tests.unit.simulator.desks import TICK, Trading, algo, open_trading, protection, wish
from tests.unit.simulator.markets import STEP_MS

SIZE = Decimal("0.01")


def falls(trading: Trading, ticks: int) -> int:
    """The first ms in which the price is so many ticks lower than now, by looking at each."""
    level = trading.ticks() - ticks
    return next(ms for ms in range(trading.now_ms, 10**15) if trading.ticks(ms) <= level)


def test_a_stop_that_is_reached_already_when_it_is_armed_triggers_at_once() -> None:
    trading = open_trading()
    last = trading.ticks()
    entry = wish(Side.BUY, OrderType.IOC, SIZE, (last + 50) * TICK)
    order = replace(entry, protection=protection(last + 20, None))
    trading.desk.place(trading.books, order, trading.now_ms)
    (armed,) = trading.books.algos.values()
    assert armed.state is State.EFFECTIVE
    assert armed.ended is not None
    assert armed.ended.ts == trading.now_ms
    assert trading.books.balances["BTC"] < Decimal("0.1001")


def test_of_two_that_are_met_in_one_millisecond_the_older_goes_first() -> None:
    trading = open_trading()
    due_ms = falls(trading, 40)
    stop = trading.ticks(due_ms)
    for _ in range(3):
        order = algo(Side.SELL, Decimal("0.04"), stop, None)
        trading.desk.arm(trading.books, order, trading.now_ms)
    trading.advance(due_ms - trading.now_ms)
    states = [one.state for one in trading.books.algos.values()]
    assert states == [State.EFFECTIVE, State.EFFECTIVE, State.FAILED]


def test_accounts_wait_side_by_side_and_touch_nothing_of_each_other() -> None:
    trading = open_trading()
    other = trading.desk.ledger.make_account(spec_of(key="key2"), trading.now_ms)
    due_ms = falls(trading, 40)
    stop = trading.ticks(due_ms)
    for books in (trading.books, other):
        trading.desk.arm(books, algo(Side.SELL, SIZE, stop, None), trading.now_ms)
    trading.advance(due_ms - trading.now_ms)
    assert trading.books.balances["BTC"] == Decimal("0.09")
    assert other.balances["BTC"] == Decimal("0.49")


def test_a_stop_is_hidden_no_longer_than_its_entry() -> None:
    trading = open_trading()
    price = (trading.ticks() - 60) * TICK
    entry = replace(
        wish(Side.BUY, OrderType.LIMIT, SIZE, price),
        protection=protection(trading.ticks() - 5000, None),
    )
    begun_ms = trading.now_ms
    trading.desk.place(trading.books, entry, begun_ms, Dealing(hidden_ms=50 * STEP_MS))
    trading.advance(30 * STEP_MS)
    (armed,) = [one for one in trading.events if isinstance(one, AlgoArmed)]
    assert armed.ts > begun_ms
    assert armed.ts + armed.hidden_ms == begun_ms + 50 * STEP_MS


@pytest.mark.parametrize(("side", "price"), [(Side.BUY, "0.1"), (Side.SELL, "99999999")])
def test_a_price_that_never_comes_waits_to_the_end_of_the_market(side: Side, price: str) -> None:
    trading = open_trading()
    order = wish(side, OrderType.LIMIT, SIZE, Decimal(price))
    trading.desk.place(trading.books, order, trading.now_ms)
    trading.advance(100 * STEP_MS)
    assert [one.state for one in trading.books.orders.values()] == [State.LIVE]


def test_an_account_with_nothing_can_place_nothing() -> None:
    trading = open_trading()
    poor = trading.desk.ledger.make_account(spec_of(key="poor", balances={}), trading.now_ms)
    for side in Side:
        with pytest.raises(ItemError, match="Insufficient"):
            trading.desk.place(poor, wish(side, OrderType.MARKET, SIZE), trading.now_ms)
    assert poor.balances == {}
