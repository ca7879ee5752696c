"""What the log says of any sequence of orders, and that it is all there is."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.simulator.private.books import Algo, Books
from oxbot.simulator.private.desk import Desk
from oxbot.simulator.private.events import (
    AlgoFailed,
    AlgoTriggered,
    Event,
    Filled,
    OrderTaken,
    events_of,
    line_of,
)
from oxbot.simulator.private.terms import (
    OrderType,
    Side,
    Target,
)
from oxbot.simulator.private.wishes import ItemError
from tests.unit.simulator.desks import (
    FIRST,
    LOT,
    TICK,
    Trading,
    algo,
    open_trading,
    protection,
    wish,
)
from tests.unit.simulator.markets import STEP_MS

ZERO = Decimal(0)
SMALL = 1000 * LOT
"""The smallest order of BTC."""

Action = Callable[[Trading], object]


@dataclass(frozen=True)
class Place:
    side: Side
    kind: OrderType
    lots: int
    offset: int
    stop: int | None
    target: int | None
    quote: bool
    name: str

    def __call__(self, trading: Trading) -> None:
        last, way = trading.ticks(), 1 if self.side is Side.BUY else -1
        px = (last + self.offset) * TICK
        stop = None if self.stop is None else last + self.offset - way * self.stop
        target = None if self.target is None else last + self.offset + way * self.target
        attached = protection(stop, target) if stop or target else None
        market = self.kind is OrderType.MARKET
        quote = self.quote and market and self.side is Side.BUY
        size = Decimal(self.lots) / 2 if quote else self.lots * SMALL
        order = replace(
            wish(self.side, self.kind, size, None if market else px),
            protection=attached,
            tgt_ccy=Target.QUOTE if quote else Target.BASE,
            cl_ord_id=self.name,
        )
        trading.desk.place(trading.books, order, trading.desk.settle())


@dataclass(frozen=True)
class Arm:
    side: Side
    lots: int
    stop: int | None
    target: int | None

    def __call__(self, trading: Trading) -> None:
        last, way = trading.ticks(), 1 if self.side is Side.SELL else -1
        stop = None if self.stop is None else last - way * self.stop
        target = None if self.target is None else last + way * self.target
        if stop or target:
            wanted = algo(self.side, self.lots * SMALL, stop, target)
            trading.desk.arm(trading.books, wanted, trading.desk.settle())


@dataclass(frozen=True)
class Cancel:
    place: int
    algo: bool

    def __call__(self, trading: Trading) -> None:
        now_ms = trading.desk.settle()
        if self.algo and (algos := trading.books.live_algos):
            trading.desk.cancel_algo(trading.books, algos[self.place % len(algos)], now_ms)
        elif orders := trading.books.live_orders:
            trading.desk.cancel(trading.books, orders[self.place % len(orders)], now_ms)


@dataclass(frozen=True)
class Advance:
    ms: int

    def __call__(self, trading: Trading) -> None:
        trading.advance(self.ms)


sides = st.sampled_from(Side)
kinds = st.sampled_from([*OrderType, OrderType.LIMIT, OrderType.LIMIT])
sizes = st.integers(1, 40) | st.integers(3_000, 9_500) | st.integers(41, 12_000)
near = st.integers(-30, 30) | st.integers(-600, 600)
away = st.none() | st.integers(1, 60) | st.integers(60, 600)
names = st.sampled_from(["", "", "again"])
placed = st.builds(Place, sides, kinds, sizes, near, away, away, st.booleans(), names)
armed = st.builds(Arm, sides, sizes, away, away)
cancelled = st.builds(Cancel, st.integers(0, 5), st.booleans())
advanced = st.builds(Advance, st.integers(1, 2 * STEP_MS))
rounds = st.tuples(placed, armed | placed, advanced, cancelled | advanced, placed, advanced)
actions = st.lists(rounds, min_size=1, max_size=5).map(
    lambda all_rounds: [action for actions in all_rounds for action in actions]
)


def do(trading: Trading, wanted: list[Action]) -> None:
    for action in wanted:
        with suppress(ItemError):
            action(trading)
        trading.desk.ledger.commit()


@pytest.mark.critical
@given(st.integers(1, 20), actions)
def test_first_balances_and_fills_less_fees_are_the_balances(
    seed: int, wanted: list[Action]
) -> None:
    trading = open_trading(seed)
    do(trading, wanted)
    expected = dict(FIRST)
    sides = {one.ord_id: one.side for one in trading.events if isinstance(one, OrderTaken)}
    for fill in trading.events:
        if isinstance(fill, Filled):
            way = 1 if sides[fill.ord_id] is Side.BUY else -1
            expected["BTC"] += way * fill.sz
            expected["USDT"] -= way * fill.sz * fill.px
            expected[fill.fee_ccy] += fill.fee
            rate = Decimal("0.001") if fill.exec_type == "T" else Decimal("0.0008")
            assert fill.fee == -rate * (fill.sz if way == 1 else fill.sz * fill.px)
    assert trading.books.balances == expected


@given(st.integers(1, 20), actions)
def test_no_balance_is_ever_negative_and_no_more_is_held_than_there_is(
    seed: int, wanted: list[Action]
) -> None:
    trading = open_trading(seed)

    def watch(_: Event) -> None:
        for currency, balance in trading.books.balances.items():
            assert 0 <= trading.books.held(currency) <= balance

    trading.desk.ledger.watchers.append(watch)
    do(trading, wanted)


@given(st.integers(1, 20), actions)
def test_no_order_is_filled_beyond_its_size_or_its_limit(seed: int, wanted: list[Action]) -> None:
    trading = open_trading(seed)
    do(trading, wanted)
    for order in trading.books.orders.values():
        taken, way = order.taken, 1 if order.taken.side is Side.BUY else -1
        used = order.turnover if taken.tgt_ccy is Target.QUOTE else order.filled
        assert used <= taken.sz
        assert order.filled == sum((fill.sz for fill in order.fills), ZERO)
        assert all(fill.sz > 0 and fill.sz % LOT == 0 for fill in order.fills)
        if taken.px is not None:
            assert all(way * fill.px <= way * taken.px for fill in order.fills)


@given(st.integers(1, 20), actions)
def test_an_algo_order_ends_once_and_brings_one_order_at_most(
    seed: int, wanted: list[Action]
) -> None:
    trading = open_trading(seed)
    do(trading, wanted)
    ends = Counter(
        getattr(one, "algo_id", "")
        for one in trading.events
        if one.model_dump()["event"] in ("algo_triggered", "algo_failed", "algo_canceled")
    )
    assert all(count == 1 for count in ends.values())
    triggered = [one for one in trading.events if isinstance(one, AlgoTriggered)]
    came = [order.taken.algo_id for order in trading.books.orders.values() if order.taken.algo_id]
    assert sorted(came) == sorted(one.algo_id for one in triggered)


@given(st.integers(1, 20), actions)
def test_the_log_alone_makes_the_same_account_again(seed: int, wanted: list[Action]) -> None:
    trading = open_trading(seed)
    do(trading, wanted)
    lines = line_of(trading.events)
    assert events_of(lines) == trading.events
    again = Desk(trading.desk.venue).ledger.accounts["key1"]
    assert facts(again) == facts(trading.books)


@given(st.integers(1, 20), actions, st.lists(st.integers(1, STEP_MS), max_size=6))
def test_it_does_not_matter_how_often_anybody_looks(
    seed: int, wanted: list[Action], looks: list[int]
) -> None:
    whole, often = open_trading(seed), open_trading(seed)
    do(whole, wanted)
    do(often, [piece for action in wanted for piece in pieces(action, looks)])
    assert often.events == whole.events


@given(st.integers(1, 20), actions)
def test_what_waits_is_met_in_the_very_millisecond(seed: int, wanted: list[Action]) -> None:
    trading = open_trading(seed)
    do(trading, wanted)
    spread = trading.desk.venue.market.shape.spread_ticks
    for order in trading.books.orders.values():
        for fill in order.fills:
            if fill.exec_type == "M":
                meets = [met(order.taken, trading.ticks(fill.ts - back), spread) for back in (0, 1)]
                assert meets == [True, False] or fill.ts - 1 < order.taken.ts


@given(st.integers(1, 20), actions)
def test_a_trigger_is_met_in_the_very_millisecond_and_none_that_is_met_waits(
    seed: int, wanted: list[Action]
) -> None:
    trading = open_trading(seed)
    do(trading, wanted)
    for one in trading.books.algos.values():
        since, end = one.armed.ts, one.ended
        if isinstance(end, AlgoTriggered | AlgoFailed):
            assert reached(one, trading.ticks(end.ts), end.actual_side)
            assert end.ts == since or not reached(one, trading.ticks(end.ts - 1), end.actual_side)
        until = trading.now_ms if end is None else end.ts - 1
        looks = range(since, until + 1, 7001)
        assert not any(
            reached(one, trading.ticks(ms), which) for ms in looks for which in ("sl", "tp")
        )


def reached(algo: Algo, last: int, which: str) -> bool:
    """Whether a last price, in ticks, is at a trigger or beyond it."""
    chosen = algo.protection.stop if which == "sl" else algo.protection.target
    if chosen is None:
        return False
    below = (which == "sl") == (algo.armed.side is Side.SELL)
    return last * TICK <= chosen.trigger if below else last * TICK >= chosen.trigger


def met(taken: OrderTaken, last: int, spread: int) -> bool:
    """Whether the book's other side has come to a limit; of what was left over, a tick more."""
    assert taken.px is not None
    limit, then = int(taken.px / TICK), int(taken.last / TICK)
    if taken.side is Side.BUY:
        return last <= min(limit - spread, then - 1)
    return last >= max(limit, then + 1)


def pieces(action: Action, looks: list[int]) -> list[Action]:
    """A step in time, cut into pieces."""
    if not isinstance(action, Advance):
        return [action]
    parts: list[Action] = []
    left = action.ms
    for look in looks:
        if look < left:
            parts.append(Advance(look))
            left -= look
    return [*parts, Advance(left)]


def facts(books: Books) -> object:
    """All that is known of an account."""
    return (
        books.balances,
        books.orders,
        books.algos,
        books.live_orders,
        books.live_algos,
        books.updated_ms,
    )
