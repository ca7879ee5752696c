"""One order, from its claim to its settlement, wherever an earlier attempt has died."""

from collections.abc import Sequence
from decimal import Decimal

import pytest

from oxbot.app.orders import give_up
from oxbot.domain.bot import BotStatus
from oxbot.domain.errors import OutcomeUnknown, VenueRefused, VenueUnavailable
from oxbot.domain.market import ClockReading
from oxbot.domain.money import Price, Quantity
from oxbot.domain.orders import Fill, Order, OrderState, Purpose, Side
from oxbot.messages import WriteControl
from tests.support.fakes import BTC
from tests.support.trading import entry, fill, ruled
from tests.unit.app.room import BOT, NOW_MS, Room, ScriptedExchange

pytestmark = pytest.mark.critical


async def intended(room: Room) -> Order:
    """An entry of 0.1 BTC that is intended, with its bot."""
    await room.bot()
    await room.observe()
    order = entry(BOT, expires_ms=NOW_MS + 1)
    await room.store.judge_cycle(BOT, 1, ruled(order), entering=True)
    return order


async def sent(room: Room, known: Sequence[Fill] | None) -> tuple[Order, ScriptedExchange]:
    """An entry that was claimed by an attempt that died, and a venue that knows this of it."""
    order = await intended(room)
    assert await room.store.claim(order.id, NOW_MS)
    room.exchange = venue = ScriptedExchange(known)
    return order, venue


async def test_an_order_is_claimed_placed_and_settled(room: Room) -> None:
    order = await intended(room)
    room.exchange = venue = ScriptedExchange([fill(order, "60000.5")])
    done = await room.execute(order.id)
    assert (done.state, done.filled, done.price) == (
        OrderState.FILLED,
        Quantity("0.1"),
        Price("60000.5"),
    )
    assert (venue.placed, venue.looked_up) == ([order.id], [])
    assert BTC in (await room.store.portfolio(BOT)).positions


async def test_a_final_order_is_only_reported(room: Room) -> None:
    order = await intended(room)
    room.exchange = venue = ScriptedExchange([fill(order)])
    first = await room.execute(order.id)
    assert await room.execute(order.id) == first
    assert venue.placed == [order.id]
    assert (await room.store.audit(BOT)).fills == 1


async def test_a_sent_order_that_traded_is_adopted_and_not_sent_again(room: Room) -> None:
    order, venue = await sent(room, [fill(entry(BOT))])
    assert (await room.execute(order.id)).state is OrderState.FILLED
    assert (venue.placed, venue.looked_up) == ([], [order.id])


async def test_a_sent_order_that_did_not_trade_is_cancelled_and_not_sent_again(room: Room) -> None:
    order, venue = await sent(room, [])
    assert (await room.execute(order.id)).state is OrderState.CANCELLED
    assert venue.placed == []


async def test_a_sent_order_that_the_venue_never_had_is_claimed_anew(room: Room) -> None:
    order, venue = await sent(room, None)
    assert (await room.execute(order.id)).state is OrderState.CANCELLED
    assert (venue.looked_up, venue.placed) == ([order.id], [order.id])


async def test_a_sent_entry_that_the_venue_never_had_is_not_sent_after_a_pause(room: Room) -> None:
    order, venue = await sent(room, None)
    await control(room, BotStatus.PAUSED, epoch=2)
    assert (await room.execute(order.id)).state is OrderState.CANCELLED
    assert venue.placed == []


@pytest.mark.parametrize(
    ("status", "epoch", "late_ms"),
    [(BotStatus.PAUSED, 1, 0), (BotStatus.RUNNING, 2, 0), (BotStatus.RUNNING, 1, 2)],
    ids=["paused", "changed", "expired"],
)
async def test_an_entry_that_is_no_longer_wanted_is_cancelled_unsent(
    room: Room, status: BotStatus, epoch: int, late_ms: int
) -> None:
    order = await intended(room)
    room.exchange = venue = ScriptedExchange([fill(order)])
    await control(room, status, epoch)
    room.now_ms += late_ms
    done = await room.execute(order.id)
    assert (done.state, venue.placed) == (OrderState.CANCELLED, [])
    assert "before it was sent" in done.reason


async def control(room: Room, status: BotStatus, epoch: int) -> None:
    change = WriteControl(bot_id=BOT, status=status, epoch=epoch, flatten=True, by="t", reason="")
    await room.store.write_control(change)


async def test_a_claim_that_another_attempt_won_sends_nothing(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await intended(room)
    room.exchange = venue = ScriptedExchange([fill(order)])
    claim = room.store.claim

    async def lost(order_id: str, now_ms: int, fence_ms: int | None = None) -> bool:
        assert await claim(order_id, now_ms, fence_ms)
        return False

    monkeypatch.setattr(room.store, "claim", lost)
    assert (await room.execute(order.id)).state is OrderState.SENT
    assert venue.placed == []


async def test_a_refusal_of_the_venue_is_final_and_says_why(room: Room) -> None:
    order = await intended(room)
    room.exchange = venue = ScriptedExchange(error=VenueRefused("below the minimum"))
    assert (await room.execute(order.id)).state is OrderState.REFUSED
    assert (await room.execute(order.id)).reason == "below the minimum"
    assert venue.placed == [order.id]
    assert (await room.store.portfolio(BOT)).reserved == 0


async def test_what_certainly_was_not_sent_is_intended_again(room: Room) -> None:
    order = await intended(room)
    room.exchange = ScriptedExchange(error=VenueUnavailable("away"))
    with pytest.raises(VenueUnavailable):
        await room.execute(order.id)
    assert (await room.store.order(order.id)).state is OrderState.INTENDED
    room.exchange = ScriptedExchange([fill(order)])
    assert (await room.execute(order.id)).state is OrderState.FILLED


async def test_what_may_have_been_sent_is_looked_up_and_never_guessed(room: Room) -> None:
    order = await intended(room)
    room.exchange = ScriptedExchange(error=OutcomeUnknown("the answer was lost"))
    with pytest.raises(OutcomeUnknown):
        await room.execute(order.id)
    assert (await room.store.order(order.id)).state is OrderState.SENT
    room.exchange = venue = ScriptedExchange([fill(order)])
    assert (await room.execute(order.id)).state is OrderState.FILLED
    assert (venue.looked_up, venue.placed) == ([order.id], [])


async def test_an_attempt_thought_dead_books_nothing_twice(room: Room) -> None:
    """It comes back with its fill after its successor has looked the order up and settled."""
    order = await intended(room)

    class Slow(ScriptedExchange):
        async def place(self, order: Order, now: ClockReading) -> list[Fill]:  # noqa: ARG002 - the port's
            room.exchange = ScriptedExchange([fill(order)])
            await room.execute(order.id)
            return [fill(order)]

    room.exchange = Slow()
    assert (await room.execute(order.id)).filled == order.quantity
    audit = await room.store.audit(BOT)
    assert (audit.fills, audit.drift) == (1, Decimal(0))


async def test_what_an_attempt_thought_dead_would_have_traded_on_paper_has_never_been(
    room: Room,
) -> None:
    """It comes back when its successor has given the order up."""
    order = await intended(room)

    class Slow(ScriptedExchange):
        async def place(self, order: Order, now: ClockReading) -> list[Fill]:  # noqa: ARG002 - the port's
            room.exchange = ScriptedExchange()
            await give_up(room.ports, order, "too late")
            return [fill(order)]

    room.exchange = Slow()
    ended = await room.execute(order.id)
    assert (ended.state, ended.filled) == (OrderState.CANCELLED, Quantity(0))
    assert (await room.store.portfolio(BOT)).positions == {}


async def test_a_pause_never_stops_an_exit(room: Room) -> None:
    await room.bot()
    await room.buy(BTC)
    await control(room, BotStatus.PAUSED, epoch=2)
    room.reprice(BTC, Price(57_000))
    await room.observe(2)
    [leaving] = (await room.validate(2, entries=False)).orders
    done = await room.execute(leaving.id)
    assert (done.purpose, done.state) == (Purpose.STOP, OrderState.FILLED)
    assert leaving.side is Side.SELL
    assert (await room.store.portfolio(BOT)).positions == {}
