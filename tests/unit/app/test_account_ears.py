"""What an account tells reaches the bots that it concerns, and nobody else."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from oxbot.app.account_ears import BOOKED_WITHIN_S, LISTEN_AGAIN_S, AccountEars
from oxbot.app.orders import NOTHING_TRADED
from oxbot.app.troubles import Troubles
from oxbot.domain.errors import StoreUnavailable, VenueUnavailable
from oxbot.domain.orders import OrderState
from oxbot.domain.resting import StopState
from tests.support.fake_control import FakeControl
from tests.support.fake_stream import FakeTimer, settled
from tests.unit.app.live_room import LiveRoom
from tests.unit.app.room import BOT, NOW_MS


class News:
    """What is said of an account: batches of ids, or the end of a connection."""

    def __init__(self) -> None:
        self.said: asyncio.Queue[list[str] | VenueUnavailable] = asyncio.Queue()
        self.opened = 0

    async def ended(self) -> AsyncGenerator[list[str], None]:
        self.opened += 1
        yield []
        while isinstance(ids := await self.said.get(), list):
            yield ids
        raise ids

    async def say(self, *ids: str) -> None:
        self.said.put_nowait(list(ids))
        await settled()


class Listened:
    """Ears at an account of one live bot that holds a coin under a stop."""

    def __init__(self, live: LiveRoom) -> None:
        self.live = live
        self.news, self.timer = News(), FakeTimer(NOW_MS)
        control = live.room.control
        assert isinstance(control, FakeControl)
        self.control = control
        self.ears = AccountEars(live.ports, self.timer, Troubles("test"))

    @property
    def told(self) -> list[str]:
        told, self.control.reconciled = self.control.reconciled, []
        return told


@asynccontextmanager
async def listening(live: LiveRoom) -> AsyncIterator[Listened]:
    listened = Listened(live)
    task = asyncio.create_task(listened.ears.listen(listened.news))
    await settled()
    yield listened
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def live() -> LiveRoom:
    room = LiveRoom()
    await room.hold()
    return room


async def test_whoever_begins_to_listen_has_all_live_bots_look(live: LiveRoom) -> None:
    async with listening(live) as heard:
        assert heard.told == [BOT]


async def test_a_stop_that_is_over_is_told_at_once_unless_that_is_known(live: LiveRoom) -> None:
    stop = live.stop
    assert stop
    async with listening(live) as heard:
        assert heard.told == [BOT]
        await heard.news.say(stop.id, "of-nobody")
        assert heard.told == [BOT]
        await live.store.note_stop(stop.id, StopState.ENDED, "cancelled")
        await heard.news.say(stop.id)
        await heard.timer.passes(BOOKED_WITHIN_S)
        assert heard.told == []


async def test_an_order_that_nobody_books_is_told_after_a_while(live: LiveRoom) -> None:
    order = live.leaving()
    live.store.orders_by_id[order.id] = order.model_copy(update={"state": OrderState.SENT})
    async with listening(live) as heard:
        assert heard.told == [BOT]
        await heard.news.say(order.id)
        await heard.timer.passes(BOOKED_WITHIN_S - 1)
        assert heard.told == []
        await heard.timer.passes(1)
        assert heard.told == [BOT]


async def test_an_order_that_is_booked_meanwhile_is_not_told(live: LiveRoom) -> None:
    order = live.leaving()
    async with listening(live) as heard:
        assert heard.told == [BOT]
        await heard.news.say(order.id)
        live.store.orders_by_id[order.id] = order.model_copy(update={"state": OrderState.FILLED})
        await heard.timer.passes(BOOKED_WITHIN_S)
        assert heard.told == []


async def test_an_order_that_was_given_up_as_never_sent_and_is_over_all_the_same_is_told(
    live: LiveRoom,
) -> None:
    order = live.leaving()
    live.store.orders_by_id[order.id] = order.model_copy(update={"state": OrderState.CANCELLED})
    async with listening(live) as heard:
        assert heard.told == [BOT]
        await heard.news.say(order.id)
        await heard.timer.passes(BOOKED_WITHIN_S)
        assert heard.told == [BOT]


async def test_a_sale_that_was_seen_to_end_unfilled_is_not_told_so_that_looks_become_seldom(
    live: LiveRoom,
) -> None:
    """Each look makes another such sale where stops are refused: told, it would never slow down."""
    live.account.cancel_all()
    live.account.refusing = {"place_stop"}
    live.account.parts.append(Decimal(0))
    async with listening(live) as heard:
        assert heard.told == [BOT]
        assert (await live.reconcile()).unsold
        [sale] = [order for order in live.store.orders_by_id.values() if order.purpose.is_exit]
        assert (sale.state, sale.reason) == (OrderState.CANCELLED, NOTHING_TRADED)
        await heard.news.say(sale.id)
        await heard.timer.passes(BOOKED_WITHIN_S)
        assert heard.told == []


async def test_after_a_gap_it_connects_again_and_all_live_bots_look(live: LiveRoom) -> None:
    async with listening(live) as heard:
        assert heard.told == [BOT]
        heard.news.said.put_nowait(VenueUnavailable("The connection was lost."))
        await heard.timer.passes(LISTEN_AGAIN_S)
        assert (heard.news.opened, heard.told) == (2, [BOT])


async def test_a_record_that_is_away_when_an_order_is_asked_for_ends_nothing(
    live: LiveRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_ids: object) -> list[object]:
        raise StoreUnavailable("PostgreSQL is away.")

    async with listening(live) as heard:
        monkeypatch.setattr(live.store, "known_orders", away)
        await heard.news.say("anything")
        await heard.timer.passes(BOOKED_WITHIN_S)
        monkeypatch.undo()
        stop = live.stop
        assert stop
        assert heard.told == [BOT]
        await heard.news.say(stop.id)
        assert heard.told == [BOT]
