"""Everything at once where the record answers for some bots only."""

import asyncio
from typing import cast

from oxbot.app.bots import Desk
from oxbot.app.flatten import AT_ONCE, flatten_all
from oxbot.domain.bot import BotSettings, BotStatus
from oxbot.domain.errors import StoreUnavailable
from oxbot.domain.portfolio import Portfolio
from oxbot.messages import ControlRequest, FlattenReport
from oxbot.ports import BotControl
from tests.support.fake_breaker import FakeBreaker
from tests.support.fake_store import FakeStore
from tests.support.fakes import BTC, FakeBoard, FakeFeed
from tests.support.no_bots import NoBots

ANN = ControlRequest(by="Ann")


class Forgetful(FakeStore):
    """A record that does not answer for the bots named `lost`."""

    async def portfolio(self, bot_id: str) -> Portfolio:
        """Give what a bot has."""
        if bot_id == "lost":
            raise StoreUnavailable("PostgreSQL does not answer.")
        return await super().portfolio(bot_id)


class Counting(NoBots):
    """Bots that are flat at once; `most` is how many were told at a time."""

    def __init__(self) -> None:
        self.now = self.most = 0

    async def flatten(self, bot_id: str, request: ControlRequest) -> FlattenReport:  # noqa: ARG002 - the port's
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        return FlattenReport(open_orders=0, positions=0, done=True, status="paused", epoch=2)


async def office(store: FakeStore, *bot_ids: str) -> tuple[Desk, Counting]:
    for bot_id in bot_ids:
        await store.create_bot(bot_id, BotSettings(name=bot_id, symbols=(BTC,)), 1)
    told = Counting()
    control = cast("BotControl", told)
    return Desk(store, control, "okx", FakeFeed({}), FakeBoard(), FakeBreaker()), told


async def test_a_bot_whose_record_cannot_be_read_keeps_no_other_from_its_report() -> None:
    desk, _ = await office(Forgetful(), "b1", "lost", "b2")
    done = {one.bot_id: one for one in await flatten_all(desk, ANN)}
    assert (done["b1"].is_done, done["b2"].is_done) == (True, True)
    assert (done["lost"].report, done["lost"].is_done) == (None, False)
    assert done["lost"].trouble == "PostgreSQL does not answer."


async def test_bots_that_are_archived_are_left_out() -> None:
    store = FakeStore()
    desk, _ = await office(store, "b1", "b2")
    away = {"status": BotStatus.STOPPED, "archived_ms": 1}
    store.bots_by_id["b1"] = store.bots_by_id["b1"].model_copy(update=away)
    assert [one.bot_id for one in await flatten_all(desk, ANN)] == ["b2"]


async def test_some_are_told_at_a_time() -> None:
    desk, told = await office(FakeStore(), *(f"b{number}" for number in range(30)))
    assert len(await flatten_all(desk, ANN)) == 30
    assert told.most <= AT_ONCE
