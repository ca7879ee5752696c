"""Everything at once: all are told, real money first, and each line is what the record says."""

import asyncio
from collections.abc import Mapping
from typing import cast

import pytest

from oxbot.app import at_once
from oxbot.app.at_once import AT_ONCE, UNHEARD, UNREAD
from oxbot.app.bots import Desk
from oxbot.app.flatten import flatten_all
from oxbot.app.stop_all import stop_all
from oxbot.domain.bot import Bot, BotSettings, BotStatus, Mode
from oxbot.domain.errors import NotFound, OxbotError, StoreUnavailable, Unanswered
from oxbot.domain.portfolio import Portfolio
from oxbot.messages import ControlRequest
from oxbot.ports import BotControl
from tests.support.fake_breaker import FakeBreaker
from tests.support.fake_store import FakeStore
from tests.support.fakes import BTC, FakeBoard, FakeFeed
from tests.support.no_bots import NoBots

ANN = ControlRequest(by="Ann")
KEEP = ControlRequest(by="Ann", flatten=False)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """One look at the record: nothing here takes time."""
    monkeypatch.setattr(at_once, "WITHIN_S", 0)


class Forgetful(FakeStore):
    """A record that does not answer for the bot `lost`, and never for `slow`; `looks` counts."""

    looks = 0

    async def portfolio(self, bot_id: str) -> Portfolio:
        """Give what a bot has."""
        if bot_id == "lost":
            raise StoreUnavailable("PostgreSQL does not answer.")
        if bot_id == "slow":
            await asyncio.get_running_loop().create_future()
        return await super().portfolio(bot_id)

    async def bots(self, owner: str | None = None) -> list[Bot]:
        """Give all bots."""
        self.looks += 1
        return await super().bots(owner)


class Obedient(NoBots):
    """Bots that do what they are told at once, but those that are `deaf`, and tell no record.

    `troubles` say what keeps one from being told; `most` is how many were told at a time, `looks`
    how often the record had been looked at when each was.
    """

    def __init__(self, store: FakeStore, troubles: Mapping[str, OxbotError], *deaf: str) -> None:
        self.store, self.troubles, self.deaf = store, troubles, deaf
        self.now = self.most = 0
        self.told: list[str] = []
        self.looks: list[int] = []

    async def flatten_soon(self, bot_id: str, request: ControlRequest) -> None:  # noqa: ARG002 - the port's
        await self._told(bot_id, BotStatus.PAUSED)

    async def stop_soon(self, bot_id: str, request: ControlRequest) -> None:
        await self._told(bot_id, BotStatus.STOPPED if request.flatten else BotStatus.CLOSING)

    async def _told(self, bot_id: str, status: BotStatus) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        self.told.append(bot_id)
        self.looks.append(getattr(self.store, "looks", 0))
        trouble = self.troubles.get(bot_id)
        bot = self.store.bots_by_id[bot_id]
        if bot_id not in self.deaf and not (trouble and not isinstance(trouble, Unanswered)):
            after = {"status": status, "epoch": bot.epoch + 1}
            self.store.bots_by_id[bot_id] = bot.model_copy(update=after)
        if trouble:
            raise trouble


async def office(
    store: FakeStore,
    *bot_ids: str,
    live: tuple[str, ...] = (),
    deaf: tuple[str, ...] = (),
    troubles: Mapping[str, OxbotError] | None = None,
) -> tuple[Desk, Obedient]:
    for number, bot_id in enumerate(bot_ids):
        mode = Mode.LIVE if bot_id in live else Mode.PAPER
        await store.create_bot(bot_id, BotSettings(name=bot_id, symbols=(BTC,), mode=mode), number)
    told = Obedient(store, troubles or {}, *deaf)
    control = cast("BotControl", told)
    return Desk(store, control, "okx", FakeFeed({}), FakeBoard(), FakeBreaker()), told


async def test_a_bot_whose_record_cannot_be_read_keeps_no_other_from_its_report() -> None:
    desk, _ = await office(Forgetful(), "b1", "lost", "b2")
    done = {one.bot_id: one for one in await flatten_all(desk, ANN)}
    assert (done["b1"].is_done, done["b2"].is_done) == (True, True)
    assert (done["lost"].report, done["lost"].is_done) == (None, False)
    assert done["lost"].trouble == "PostgreSQL does not answer."


async def test_a_record_that_does_not_answer_in_time_is_waited_for_no_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(at_once, "READ_WITHIN_S", 0.05)
    desk, _ = await office(Forgetful(), "b1", "slow")
    done = {one.bot_id: one for one in await flatten_all(desk, ANN)}
    assert done["b1"].is_done
    assert (done["slow"].report, done["slow"].trouble) == (None, UNREAD)


async def test_bots_that_are_archived_are_left_out() -> None:
    store = FakeStore()
    desk, told = await office(store, "b1", "b2")
    away = {"status": BotStatus.STOPPED, "archived_ms": 1}
    store.bots_by_id["b1"] = store.bots_by_id["b1"].model_copy(update=away)
    assert [one.bot_id for one in await flatten_all(desk, ANN)] == ["b2"]
    assert [one.bot_id for one in await stop_all(desk, ANN)] == ["b2"]
    assert told.told == ["b2", "b2"]


async def test_some_are_told_at_a_time() -> None:
    desk, told = await office(FakeStore(), *(f"b{number}" for number in range(3 * AT_ONCE)))
    assert len(await flatten_all(desk, ANN)) == 3 * AT_ONCE
    assert 1 < told.most <= AT_ONCE


async def test_real_money_comes_first_and_the_answer_is_in_the_order_of_age() -> None:
    desk, told = await office(FakeStore(), "b1", "b2", "b3", "b4", live=("b2", "b4"))
    for everything in (flatten_all(desk, ANN), stop_all(desk, ANN)):
        told.told.clear()
        assert [one.bot_id for one in await everything] == ["b1", "b2", "b3", "b4"]
        assert told.told == ["b2", "b4", "b1", "b3"]


async def test_all_are_told_before_anybody_looks_what_came_of_it() -> None:
    store = Forgetful()
    desk, told = await office(store, *(f"b{number}" for number in range(2 * AT_ONCE)), deaf=("b0",))
    await flatten_all(desk, ANN)
    assert set(told.looks) == {1}, "one look, which said who there is"


async def test_a_line_says_whether_its_bot_was_told_has_heard_or_is_done() -> None:
    lost = NotFound("Bot untold has no running workflow.")
    perhaps = Unanswered("Temporal broke off.")
    desk, _ = await office(
        FakeStore(),
        *("done", "deaf", "untold", "heard", "unheard"),
        deaf=("deaf", "unheard"),
        troubles={"untold": lost, "heard": perhaps, "unheard": perhaps},
    )
    flat = {one.bot_id: (one.is_done, one.trouble) for one in await flatten_all(desk, ANN)}
    assert flat == {
        "done": (True, ""),
        "deaf": (False, UNHEARD),
        "untold": (False, str(lost)),
        "heard": (True, ""),
        "unheard": (False, str(perhaps)),
    }
    ended = {one.bot_id: (one.is_done, one.trouble) for one in await stop_all(desk, ANN)}
    assert ended == flat


async def test_bots_that_keep_what_they_hold_have_only_to_close() -> None:
    desk, _ = await office(FakeStore(), "b1", "b2", deaf=("b2",))
    closing, deaf = await stop_all(desk, KEEP)
    assert closing.answer is not None
    assert (closing.answer.status, closing.is_done, closing.trouble) == ("closing", False, "")
    assert (deaf.answer, deaf.trouble) == (None, UNHEARD)


class Counts:
    """What a tally hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, int] | int] = []

    def begun(self, what: str, total: int) -> None:
        """Hear what is counted."""
        self.heard.append((what, total))

    def came_to(self, count: int) -> None:
        """Hear how many it is."""
        self.heard.append(count)


async def test_whoever_waits_hears_how_many_are_told_and_done() -> None:
    counts = Counts()
    desk, _ = await office(FakeStore(), "b1", "b2", "b3", deaf=("b2",))
    await flatten_all(desk, ANN, tally=counts)
    assert counts.heard == [("told", 3), 1, 2, 3, ("done", 3), 2]


class Counting(FakeStore):
    """A record that counts the portfolios it is asked for."""

    portfolios = 0

    async def portfolio(self, bot_id: str) -> Portfolio:
        """Give what a bot has."""
        self.portfolios += 1
        return await super().portfolio(bot_id)


async def test_looking_whether_bots_are_flat_asks_for_none_by_itself() -> None:
    """The record is asked for each bot once: for its line."""
    store = Counting()
    desk, _ = await office(store, *(f"b{number}" for number in range(20)))
    assert all(one.is_done for one in await flatten_all(desk, ANN))
    assert store.portfolios == 20
