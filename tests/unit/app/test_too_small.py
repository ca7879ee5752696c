"""The exchange raises its minimum above what a live bot holds: its stop stays, and it can end."""

from typing import Final

import pytest

from oxbot.app.record import record_cycles
from oxbot.app.too_small import LEFT_TO_STOP, LEFT_UNSOLD
from oxbot.domain.bot import BotStatus
from oxbot.domain.errors import Conflict, VenueUnavailable
from oxbot.domain.market import Instrument
from oxbot.domain.money import Quantity
from oxbot.domain.orders import Purpose
from oxbot.messages import Reconciliation, RecordCycles
from tests.support.fakes import BTC
from tests.unit.app.live_room import LiveRoom
from tests.unit.app.room import BOT

pytestmark = pytest.mark.critical

TOO_MUCH: Final = Quantity(1)


@pytest.fixture
async def live() -> LiveRoom:
    """A live bot with a proven stop, of whose coin the exchange takes no such order any more."""
    room = LiveRoom()
    await room.hold()
    room.room.feed.minimums[BTC] = TOO_MUCH
    return room


def control(live: LiveRoom, status: BotStatus, *, flatten: bool = True) -> None:
    known = live.store.bots_by_id[BOT]
    changed = known.model_copy(update={"status": status, "flatten": flatten})
    live.store.bots_by_id[BOT] = changed


async def unsellable(live: LiveRoom) -> tuple[str, ...]:
    request = RecordCycles(bot_id=BOT, now_ms=live.now_ms, outcomes=())
    return (await record_cycles(live.ports, request)).unsellable


def told(live: LiveRoom) -> list[str]:
    return [text for kind, text in live.store.told.values() if kind == LEFT_UNSOLD]


async def test_a_stop_that_rests_is_left_and_counts_as_proven(live: LiveRoom) -> None:
    log = list(live.account.log)
    for _ in range(2):
        assert await live.reconcile() == Reconciliation(proven=(BTC,))
    assert live.account.log == log
    live.must_be_protected()


async def test_a_person_who_closes_the_position_does_not_cost_it_its_stop(live: LiveRoom) -> None:
    report = await live.close(Purpose.FLATTEN, version=0)
    assert (report.state, report.reason) == ("open", LEFT_TO_STOP)
    live.must_be_protected()


async def test_of_another_venue_nothing_is_said(live: LiveRoom) -> None:
    bot = live.store.bots_by_id[BOT]
    elsewhere = bot.settings.model_copy(update={"venue": "okx"})
    live.store.bots_by_id[BOT] = bot.model_copy(update={"settings": elsewhere})
    with pytest.raises(Conflict):
        await live.close(Purpose.FLATTEN, version=0)


async def test_where_the_stop_has_sold_that_is_booked(live: LiveRoom) -> None:
    live.trigger()
    found = await live.reconcile()
    assert [known.purpose for known in found.exits] == [Purpose.STOP]
    live.must_agree()


async def test_where_the_stop_is_gone_a_person_is_told_and_no_sale_is_tried(
    live: LiveRoom,
) -> None:
    """Nor is it looked at again every few seconds: nothing changes by itself."""
    live.account.cancel_all()
    found = await live.reconcile()
    [stuck] = found.stuck
    assert "can neither be sold nor have a stop" in stuck
    assert (found.unsold, found.unknown, found.proven) == ((), (), ())
    assert stuck in found.blocks
    assert not found.is_to_be_looked_at_again
    assert live.account.log[2:] == ["cancel"]


async def test_a_person_who_closes_what_has_no_stop_is_answered(live: LiveRoom) -> None:
    live.account.cancel_all()
    await live.reconcile()
    report = await live.close(Purpose.FLATTEN, version=0)
    assert (report.state, report.reason) == ("open", "too little is held to be closed")


async def test_a_bot_that_ends_takes_the_stop_back_and_tells_what_it_leaves(
    live: LiveRoom,
) -> None:
    control(live, BotStatus.CLOSING)
    assert await unsellable(live) == ()
    assert not (await live.reconcile()).is_to_be_looked_at_again
    assert live.account.alive == {}
    for _ in range(2):
        assert await unsellable(live) == (BTC,)
    [text] = told(live)
    assert "0.0999 of BTC/USDT" in text


async def test_a_bot_that_ends_and_sells_nothing_waits_for_the_stop(live: LiveRoom) -> None:
    control(live, BotStatus.CLOSING, flatten=False)
    assert (await live.reconcile()).proven == (BTC,)
    assert await unsellable(live) == ()
    live.must_be_protected()


async def test_a_paused_bot_has_no_more_to_sell_and_tells_nothing(live: LiveRoom) -> None:
    control(live, BotStatus.PAUSED)
    assert await unsellable(live) == (BTC,)
    assert told(live) == []
    live.must_be_protected()


async def test_a_bot_that_runs_waits_for_nothing_to_be_sold(live: LiveRoom) -> None:
    assert await unsellable(live) == ()


async def test_what_can_be_sold_or_is_listed_no_more_is_waited_for(live: LiveRoom) -> None:
    control(live, BotStatus.PAUSED)
    live.room.feed.minimums.clear()
    assert await unsellable(live) == ()
    del live.room.feed.prices[BTC]
    assert await unsellable(live) == ()


async def test_while_the_venue_is_away_nothing_is_taken_to_be_too_little(
    live: LiveRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_symbols: object) -> dict[str, Instrument]:
        raise VenueUnavailable("OKX is away.")

    control(live, BotStatus.PAUSED)
    monkeypatch.setattr(live.room.feed, "instruments", away)
    assert await unsellable(live) == ()
