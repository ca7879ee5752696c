"""One exit between cycles, from its call to its settlement, wherever an attempt has died."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.app.protect import PAGE, protect
from oxbot.domain.bot import BotStatus
from oxbot.domain.errors import (
    Conflict,
    ExitUnfinished,
    OutcomeUnknown,
    OxbotError,
    VenueRefused,
    VenueUnavailable,
)
from oxbot.domain.market import CANDLE_MS, ClockReading
from oxbot.domain.money import Price, Quantity, floor_to
from oxbot.domain.orders import Fill, Order, OrderState, Purpose
from oxbot.domain.portfolio import Position
from oxbot.messages import Protect, ProtectPosition, ProtectReport, WriteControl
from oxbot.ports import Exchange, Store
from tests.support.fake_store import FakeStore
from tests.support.fakes import BTC, ETH
from tests.support.trading import entry, fill
from tests.unit.app.room import BOT, Room, ScriptedExchange

pytestmark = pytest.mark.critical


async def holding(room: Room, *symbols: str) -> Position:
    """A bot that holds these coins; the position of the first."""
    await room.bot()
    await room.buy(*(symbols or (BTC,)))
    return await held(room)


async def held(room: Room, symbol: str = BTC) -> Position:
    return (await room.store.portfolio(BOT)).positions[symbol]


def crossing(position: Position, purpose: Purpose = Purpose.STOP, **changes: object) -> Protect:
    """The call that a price at the stop makes."""
    call = Protect(
        symbol=position.symbol,
        opened_ms=position.opened_ms,
        version=position.version,
        purpose=purpose,
        price=Price(57_000),
        crossed_ms=position.opened_ms + 1_000,
        seen_wall_ms=0,
    )
    return call.model_copy(update=changes)


async def close(room: Room, call: Protect, incarnation: int = 1) -> ProtectReport:
    request = ProtectPosition(bot_id=BOT, incarnation=incarnation, cycle=1, epoch=1, protect=call)
    return await protect(room.ports, request)


def exits(room: Room) -> list[Order]:
    return [order for order in room.store.orders_by_id.values() if order.purpose.is_exit]


async def test_a_crossing_sells_the_whole_position_once_and_says_for_how_much(room: Room) -> None:
    position = await holding(room)
    room.reprice(BTC, Price(57_000))
    report = await close(room, crossing(position))
    [order] = exits(room)
    assert (report.state, report.order_ids) == ("closed", (order.id,))
    assert report.price == Decimal(57_000)
    assert (order.purpose, order.state) == (Purpose.STOP, OrderState.FILLED)
    assert "57000 reached" in order.reason
    portfolio = await room.store.portfolio(BOT)
    assert portfolio.positions == {}
    assert (await room.store.audit(BOT)).drift == 0
    assert list(room.store.orders_told) == [order.id]


async def test_what_rested_while_nobody_watched_fills_there_whatever_the_price_is_now(
    room: Room,
) -> None:
    position = await holding(room)
    room.reprice(BTC, Price(61_000))
    met_ms = position.opened_ms + CANDLE_MS
    report = await close(room, crossing(position, resting=Price(57_900), crossed_ms=met_ms))
    assert (report.state, report.price) == ("closed", Price(57_900))
    [trade] = await room.store.trades(BOT, 9)
    assert (trade.exit_price, trade.closed_ms) == (Price(57_900), met_ms)
    assert (await room.store.audit(BOT)).drift == 0


async def test_called_again_after_it_is_done_it_reports_the_same_and_sells_nothing(
    room: Room,
) -> None:
    position = await holding(room)
    first = await close(room, crossing(position))
    assert await close(room, crossing(position)) == first
    assert len(room.store.filled(Purpose.STOP)) == 1


async def test_a_call_for_a_position_that_is_gone_is_stale(room: Room) -> None:
    position = await holding(room)
    await close(room, crossing(position))
    report = await close(room, crossing(position, Purpose.TARGET))
    assert (report.state, report.order_ids) == ("stale", ())


async def test_a_call_for_a_position_that_was_opened_anew_is_stale(room: Room) -> None:
    position = await holding(room)
    report = await close(room, crossing(position, opened_ms=position.opened_ms - 1))
    assert report.state == "stale"
    assert exits(room) == []


async def test_a_call_for_an_older_version_is_stale_and_version_0_is_whichever(room: Room) -> None:
    position = await holding(room)
    grown = position.model_copy(update={"version": position.version + 1})
    room.store._positions[BOT, BTC] = grown
    assert (await close(room, crossing(position))).state == "stale"
    assert exits(room) == []
    assert (await close(room, crossing(position, Purpose.HOLD, version=0))).state == "closed"


@pytest.mark.parametrize("state", [OrderState.INTENDED, OrderState.SENT])
async def test_the_exit_of_a_cycle_that_is_under_way_is_brought_to_its_end_instead(
    room: Room, state: OrderState
) -> None:
    position = await holding(room)
    room.reprice(BTC, Price(57_000))
    room.now_ms += CANDLE_MS
    await room.observe(2)
    [leaving] = (await room.validate(2, entries=False)).orders
    if state is OrderState.SENT:
        assert await room.store.claim(leaving.id, room.now_ms)
    report = await close(room, crossing(position))
    assert (report.state, report.order_ids) == ("closed", (leaving.id,))
    assert [order.id for order in exits(room)] == [leaving.id]


async def test_an_entry_of_the_coin_that_was_not_sent_is_given_up_first(room: Room) -> None:
    position = await holding(room)
    other = entry(BOT, 2, expires_ms=room.now_ms + 1_000)
    room.store.orders_by_id[other.id] = other
    report = await close(room, crossing(position))
    assert report.state == "closed"
    assert report.order_ids[0] == other.id
    assert (await room.store.order(other.id)).state is OrderState.CANCELLED


async def test_an_exit_of_a_cycle_for_what_a_protection_has_sold_is_not_sent(room: Room) -> None:
    """The cycle judged before the protection acted, and wrote its exit down after."""
    position = await holding(room)
    await close(room, crossing(position))
    late = exits(room)[0].model_copy(update={"id": "late", "state": OrderState.INTENDED})
    room.store.orders_by_id["late"] = late
    done = await room.execute("late")
    assert (done.state, done.reason) == (OrderState.CANCELLED, "so much is no longer held")


async def test_a_refusal_of_the_venue_leaves_it_open_and_the_next_call_tries_anew(
    room: Room,
) -> None:
    position = await holding(room)
    room.exchange = ScriptedExchange(error=VenueRefused("trading is halted"))
    report = await close(room, crossing(position))
    assert (report.state, report.reason) == ("open", "trading is halted")
    room.exchange = None
    assert (await close(room, crossing(position))).state == "closed"
    assert [order.state for order in exits(room)] == [OrderState.REFUSED, OrderState.FILLED]


async def test_what_was_refused_for_days_costs_no_longer_than_at_first(room: Room) -> None:
    position = await holding(room)
    room.exchange = ScriptedExchange(error=VenueRefused("trading is halted"))
    for _ in range(PAGE + 1):
        report = await close(room, crossing(position))
    assert len(report.order_ids) == 1
    room.exchange = None
    report = await close(room, crossing(position))
    assert (report.state, len(report.order_ids)) == ("closed", 1)
    assert len(exits(room)) == PAGE + 2


async def test_an_unknown_outcome_is_tried_again_and_looked_up(room: Room) -> None:
    room.stands_still = False
    position = await holding(room)
    room.exchange = ScriptedExchange(error=OutcomeUnknown("the answer was lost."))
    with pytest.raises(ExitUnfinished) as raised:
        await close(room, crossing(position))
    assert raised.value.retryable
    [order] = exits(room)
    room.exchange = venue = ScriptedExchange([fill(order, "57000")])
    assert (await close(room, crossing(position))).state == "closed"
    assert (venue.looked_up, venue.placed) == ([order.id], [])


async def test_an_unknown_outcome_where_time_stands_still_is_left_to_the_next_cycle(
    room: Room,
) -> None:
    position = await holding(room)
    room.exchange = ScriptedExchange(error=OutcomeUnknown("the answer was lost."))
    with pytest.raises(OutcomeUnknown) as raised:
        await close(room, crossing(position))
    assert not raised.value.retryable


async def test_while_the_venue_is_away_it_is_to_be_tried_again(room: Room) -> None:
    position = await holding(room)
    room.exchange = ScriptedExchange(error=VenueUnavailable("away"))
    with pytest.raises(VenueUnavailable):
        await close(room, crossing(position))
    assert [order.state for order in exits(room)] == [OrderState.INTENDED]


async def test_an_exit_meets_no_breaker_and_no_pause(room: Room) -> None:
    position = await holding(room)
    await room.store.write_control(
        WriteControl(bot_id=BOT, status=BotStatus.PAUSED, epoch=9, flatten=True, by="t", reason="")
    )
    now = await room.ports.clock.reading()
    for number in range(9):
        await room.breaker.failed(room.feed.venue, now, "away", room.now_ms + number)
    assert not (await room.breaker.admit(room.feed.venue, now)).admitted
    assert (await close(room, crossing(position))).state == "closed"


async def test_a_bot_of_another_venue_is_not_sold_at_prices_of_this_one(room: Room) -> None:
    position = await holding(room)
    bot = room.store.bots_by_id[BOT]
    elsewhere = bot.settings.model_copy(update={"venue": "okx"})
    room.store.bots_by_id[BOT] = bot.model_copy(update={"settings": elsewhere})
    with pytest.raises(Conflict):
        await close(room, crossing(position))
    assert exits(room) == []


async def test_too_little_to_be_sold_stays_and_is_said(room: Room) -> None:
    position = await holding(room)
    crumb = position.model_copy(update={"quantity": Quantity("0.0009")})
    room.store._positions[BOT, BTC] = crumb
    report = await close(room, crossing(crumb))
    assert (report.state, report.reason) == ("open", "too little is held to be closed")


@dataclass
class PartlyFilling:
    """A venue that fills the first orders in part: `parts` of each."""

    parts: list[Decimal]
    placed: list[Order] = field(default_factory=list)

    async def place(self, order: Order, now: ClockReading) -> list[Fill]:  # noqa: ARG002 - the port's
        self.placed.append(order)
        part = self.parts.pop(0) if self.parts else Decimal(1)
        quantity = floor_to(order.quantity * part, Quantity("0.0001"))
        return [fill(order, "57000", quantity=quantity)]

    async def look_up(self, order: Order) -> list[Fill] | None:  # noqa: ARG002 - the port's
        return None


async def test_after_a_partial_fill_the_rest_is_sold_by_the_next_attempt(room: Room) -> None:
    position = await holding(room)
    room.exchange = venue = PartlyFilling([Decimal("0.5"), Decimal("0.5")])
    report = await close(room, crossing(position))
    assert report.state == "closed"
    assert report.order_ids == tuple(order.id for order in venue.placed)
    assert len(set(report.order_ids)) == 3
    assert (await room.store.portfolio(BOT)).positions == {}
    assert (await room.store.audit(BOT)).drift == 0


class Killed(BaseException):
    """The process is gone: nothing that catches errors sees it."""


@dataclass
class Deadly:
    """A store or an exchange, where the process dies at one of its steps.

    `step` counts the methods that write, over all attempts; the process dies before or after it.
    """

    inner: object
    plan: "Plan"

    def __getattr__(self, name: str) -> object:
        method = getattr(self.inner, name)
        if name not in ("intend_exit", "claim", "place", "release", "settle", "tell_order"):
            return method

        async def deadly(*given: object, **named: object) -> object:
            self.plan.pass_by()
            result = await method(*given, **named)
            self.plan.pass_by()
            return result

        return deadly


@dataclass
class Plan:
    """Where to die: at the n-th moments, each once."""

    moments: set[int]
    passed: int = 0

    def pass_by(self) -> None:
        self.passed += 1
        if self.passed in self.moments:
            raise Killed


TROUBLES: list[OxbotError] = [VenueUnavailable("away"), OutcomeUnknown("lost.")]


@given(
    moments=st.sets(st.integers(1, 24), max_size=6),
    parts=st.lists(st.sampled_from([Decimal("0.5"), Decimal("0.25")]), max_size=2),
    errors=st.lists(
        st.sampled_from([VenueUnavailable("away"), OutcomeUnknown("lost.")]), max_size=2
    ),
)
async def test_wherever_attempts_die_all_is_sold_exactly_once(
    moments: set[int], parts: Sequence[Decimal], errors: Sequence[OxbotError]
) -> None:
    room = Room(store=FakeStore(), stands_still=False)
    position = await holding(room, BTC, ETH)
    plan = Plan(moments)
    inner = PartlyFilling(list(parts))
    failing = list(errors)

    class Venue:
        async def place(self, order: Order, now: ClockReading) -> list[Fill]:
            if failing:
                raise failing.pop()
            return await inner.place(order, now)

        async def look_up(self, order: Order) -> list[Fill] | None:
            return await inner.look_up(order)

    call, report = crossing(position), None
    request = ProtectPosition(bot_id=BOT, incarnation=1, cycle=1, epoch=1, protect=call)
    while report is None:
        deadly = replace(
            room.ports,
            store=cast("Store", Deadly(room.store, plan)),
            exchange=cast("Exchange", Deadly(Venue(), plan)),
        )
        try:
            report = await protect(deadly, request)
        except (Killed, VenueUnavailable, ExitUnfinished):
            continue
    assert report.state == "closed"
    sold = [f for f in room.store.booked.values() if f.symbol == BTC and f.side == "sell"]
    got = sum((f.quantity for f in sold), Quantity(0))
    assert got == floor_to(position.quantity, Quantity("0.0001"))
    assert list((await room.store.portfolio(BOT)).positions) == [ETH]
    assert (await room.store.audit(BOT)).drift == 0
    filled = {order.id for order in exits(room) if order.state is OrderState.FILLED}
    assert set(room.store.orders_told) == filled
    assert await room.store.unfinished_orders(BOT) == []
