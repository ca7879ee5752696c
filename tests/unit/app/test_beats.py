"""Activities that can have an order under way say that they are at work, while they are."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest
from temporalio.testing import ActivityEnvironment

from activities.execution import ExecutionActivities
from activities.protection import ProtectionActivities
from activities.reconciliation import ReconciliationActivities
from oxbot.app import beating
from oxbot.app.say_over import WAIT_MS
from oxbot.domain.orders import Purpose
from oxbot.messages import ExecuteOrder, SayOver, SayOverRequest, WriteOffMissing, WriteOffRequest
from tests.unit.app.live_room import LiveRoom, reconciling
from tests.unit.app.room import BOT

pytestmark = pytest.mark.critical

Step = Callable[[LiveRoom], Awaitable[object]]


async def protects(room: LiveRoom) -> object:
    """Close the position."""
    await room.hold()
    request = room.call(Purpose.FLATTEN)
    return await heard(room, ProtectionActivities(room.ports).protect, request)


async def executes(room: LiveRoom) -> object:
    """Enter."""
    request = ExecuteOrder(bot_id=BOT, order_id=(await room.open()).id)
    return await heard(room, ExecutionActivities(room.ports).execute_order, request)


async def reconciles(room: LiveRoom) -> object:
    """Hold record and account against each other."""
    await room.hold()
    return await heard(room, ReconciliationActivities(room.ports).reconcile, reconciling())


async def writes_off(room: LiveRoom) -> object:
    """Settle that a coin is gone."""
    await room.hold()
    gone = Decimal("0.0999")
    room.account.balances_by_currency["BTC"] = Decimal(0)
    wish = WriteOffRequest(id="w1", losses={"BTC": gone})
    request = WriteOffMissing(reconcile=reconciling(), wish=wish)
    return await heard(room, ReconciliationActivities(room.ports).write_off, request)


async def says_over(room: LiveRoom) -> object:
    """End an order that is shown nowhere."""
    order = await room.open()
    await room.store.claim(order.id, room.now_ms, room.now_ms)
    await room.store.note_taken(await room.store.order(order.id))
    room.now_ms += WAIT_MS
    request = SayOver(reconcile=reconciling(), wish=SayOverRequest(order_id=order.id))
    return await heard(room, ReconciliationActivities(room.ports).say_over, request)


async def heard(room: LiveRoom, activity: object, request: object) -> object:
    """Run an activity whose clock answers only when a heartbeat was heard."""
    env, beat, wall = ActivityEnvironment(), asyncio.Event(), room.room.clock._wall
    env.on_heartbeat = lambda *_: beat.set()

    async def silent_at_first() -> int:
        await beat.wait()
        return await wall()

    room.room.clock._wall = silent_at_first
    return await asyncio.wait_for(env.run(activity, request), 30)  # type: ignore[arg-type]


@pytest.mark.parametrize("step", [protects, executes, reconciles, writes_off, says_over])
async def test_what_takes_long_tells_that_it_is_at_work(
    step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beating, "BEAT_EVERY_S", 0.01)
    await step(LiveRoom())
