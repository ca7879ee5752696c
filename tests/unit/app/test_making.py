"""A bot is made once: whatever is asked again, at once, or while Temporal is away."""

from typing import cast

import pytest

from oxbot.app.bots import Desk
from oxbot.app.making import digest_of, make_bot, make_or_find
from oxbot.domain.bot import Bot, BotSettings, BotStatus
from oxbot.domain.errors import Conflict, InputError, NotFound, Unavailable
from oxbot.domain.orders import Side
from oxbot.messages import WriteLimits
from oxbot.ports import BotControl, Keeping
from tests.support.fake_breaker import FakeBreaker
from tests.support.fake_store import FakeStore
from tests.support.fakes import BTC, FakeBoard
from tests.support.held import trade
from tests.unit.app.test_create import PROVIDERS, Told

WISH = BotSettings(name="Test", symbols=(BTC,))


class Workflows:
    """Control that begins workflows, unless it is away; `ends` is how the last ones ended."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, str]] = []
        self.is_away = self.is_lost = False
        self.ends: dict[str, str] = {}

    async def start(self, bot: Bot, because: str = "") -> bool:
        """Begin one."""
        self._answer()
        self.begun.append((bot.id, because))
        return True

    async def is_running(self, bot_id: str) -> bool:
        """Tell whether there is one."""
        self._answer()
        return bot_id not in self.ends and any(known == bot_id for known, _ in self.begun)

    async def last_end(self, bot_id: str) -> str | None:
        """Tell how it ended."""
        return self.ends.get(bot_id)

    def _answer(self) -> None:
        if self.is_lost:
            raise NotFound("There is no such namespace.")
        if self.is_away:
            raise Unavailable("Temporal does not answer.")


class LateStore(FakeStore):
    """A record that shows a bot only at the second look: another request is a moment ahead."""

    def __init__(self) -> None:
        super().__init__()
        self.unseen: set[str] = set()

    async def bot(self, bot_id: str) -> Bot:
        """Give a bot that can be seen."""
        if bot_id in self.unseen:
            self.unseen.remove(bot_id)
            raise NotFound("not yet")
        return await super().bot(bot_id)

    async def asked(self, bot_id: str) -> str | None:
        """Give what it was asked for with."""
        return self.digests[bot_id]


def office() -> tuple[Desk, LateStore, Workflows]:
    store, workflows = LateStore(), Workflows()
    desk = Desk(
        store,
        cast("BotControl", workflows),
        "okx",
        Told([BTC], [BTC]),
        FakeBoard(),
        FakeBreaker(),
        keeping=cast("Keeping", store),
    )
    return desk, store, workflows


@pytest.mark.parametrize("trouble", ["is_away", "is_lost"])
async def test_what_is_on_record_while_temporal_cannot_start_it_is_made(trouble: str) -> None:
    desk, store, workflows = office()
    setattr(workflows, trouble, True)
    made = await make_bot(desk, WISH, PROVIDERS)
    assert (made.is_new, made.begun) == (True, False)
    assert list(store.bots_by_id) == [made.bot.id]


async def test_the_same_request_again_gives_the_same_bot_and_begins_it_when_it_can_be() -> None:
    desk, store, workflows = office()
    workflows.is_away = True
    first = await make_or_find(desk, WISH, PROVIDERS, "b1")
    again = await make_or_find(desk, WISH, PROVIDERS, "b1")
    assert (first.is_new, again.is_new, again.begun) == (True, False, False)
    workflows.is_away = False
    assert (await make_or_find(desk, WISH, PROVIDERS, "b1")).begun
    assert (list(store.bots_by_id), workflows.begun) == (["b1"], [("b1", "")])
    await make_or_find(desk, WISH, PROVIDERS, "b1")
    assert len(workflows.begun) == 1


async def test_a_bot_whose_limits_were_changed_is_still_known_by_what_was_asked_for() -> None:
    desk, store, _ = office()
    await make_or_find(desk, WISH, PROVIDERS, "b1")
    change = WriteLimits(bot_id="b1", epoch=2, by="Ann", reason="", limits={"stop": "2%"})
    await store.change_limits(change)
    assert not (await make_or_find(desk, WISH, PROVIDERS, "b1")).is_new
    other = WISH.model_copy(update={"limits": (await store.bot("b1")).settings.limits})
    with pytest.raises(Conflict, match="another one"):
        await make_or_find(desk, other, PROVIDERS, "b1")


async def test_of_two_requests_at_once_the_one_that_comes_second_gets_the_bot_of_the_first() -> (
    None
):
    desk, store, _ = office()
    first = await make_or_find(desk, WISH, PROVIDERS, "b1")
    store.unseen.add("b1")
    second = await make_or_find(desk, WISH, PROVIDERS, "b1")
    assert (second.bot.id, second.is_new) == (first.bot.id, False)


async def test_what_cannot_be_made_and_is_not_there_is_refused() -> None:
    desk, _, _ = office()
    with pytest.raises(InputError):
        await make_or_find(desk, WISH.model_copy(update={"symbols": ("X/USDT",)}), PROVIDERS, "b1")


async def test_a_bot_of_before_digests_is_known_by_its_settings() -> None:
    desk, store, _ = office()
    await make_or_find(desk, WISH, PROVIDERS, "b1")
    store.digests["b1"] = None
    assert not (await make_or_find(desk, WISH, PROVIDERS, "b1")).is_new
    with pytest.raises(Conflict):
        await make_or_find(desk, WISH.model_copy(update={"name": "X"}), PROVIDERS, "b1")


async def test_one_that_was_ended_by_force_while_it_held_something_is_begun_with_an_alarm() -> None:
    """As a worker would: paused, with the reason, not as if nothing had happened."""
    desk, store, workflows = office()
    await make_or_find(desk, WISH, PROVIDERS, "b1")
    workflows.ends["b1"] = "terminated"
    await trade(store, Side.BUY, "b1", BTC, 1)
    assert not (await make_or_find(desk, WISH, PROVIDERS, "b1")).is_new
    assert (await store.bot("b1")).status is BotStatus.PAUSED
    bot_id, because = workflows.begun[-1]
    assert (bot_id, "was terminated" in because) == ("b1", True)


async def test_a_stopped_bot_stays_stopped() -> None:
    desk, store, workflows = office()
    made = await make_or_find(desk, WISH, PROVIDERS, "b1")
    stopped = made.bot.model_copy(update={"status": BotStatus.STOPPED})
    store.bots_by_id["b1"] = stopped
    assert (await make_or_find(desk, WISH, PROVIDERS, "b1")).bot == stopped
    assert len(workflows.begun) == 1


def test_another_order_of_fields_is_the_same_request() -> None:
    one = BotSettings.model_validate({"name": "Test", "interval_s": 60})
    other = BotSettings.model_validate({"interval_s": 60, "name": "Test"})
    assert digest_of(one) == digest_of(other)
    assert digest_of(one) != digest_of(other.model_copy(update={"interval_s": 61}))
