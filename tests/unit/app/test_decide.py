"""The model's decision: asked for once, kept whatever it says."""

import pytest

from oxbot.app.prompt import PROMPT_VERSION
from oxbot.domain.errors import ModelUnavailable
from oxbot.records import DecisionRecord, ModelReply, ModelRequest
from tests.support.fakes import BTC, FakeModel
from tests.unit.app.room import BOT, Room

pytestmark = pytest.mark.critical

UNKNOWN_COIN = (
    '{"summary": "s", "proposals": [{"symbol": "DOGE/USDT", "action": "buy",'
    ' "confidence": "1", "reason": "r"}]}'
)


async def test_a_decision_is_asked_for_once(room: Room) -> None:
    await room.bot()
    await room.observe()
    room.model.will_buy(BTC)
    first = await room.decide()
    assert await room.decide() == first
    assert room.model.asked == 1
    assert [BTC in told for told in first.proposals] == [True]
    stored = await room.store.decision(BOT, 1)
    assert stored is not None
    assert stored.prompt_version == PROMPT_VERSION


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("buy everything!", "not a valid decision"),
        ('{"summary": "s", "proposals": [], "order": "now"}', "order"),
        (UNKNOWN_COIN, "symbols the bot does not trade"),
    ],
)
async def test_a_reply_that_is_bad_twice_is_kept_with_its_cause_and_the_cycle_holds(
    room: Room, reply: str, why: str
) -> None:
    await room.bot()
    await room.observe()
    room.model.replies.extend([reply, reply])
    brief = await room.decide()
    assert brief.failed is not None
    assert why in brief.failed
    assert brief.proposals == ()
    stored = await room.store.decision(BOT, 1)
    assert stored is not None
    assert (stored.reply, stored.decision, stored.repaired) == (reply, None, False)
    assert (await room.validate()).orders == ()
    assert await room.decide() == brief
    assert room.model.asked == 2


async def test_a_provider_that_is_away_leaves_nothing_and_is_asked_again(room: Room) -> None:
    class Away(FakeModel):
        async def complete(self, request: ModelRequest) -> ModelReply:  # noqa: ARG002 - the port's
            raise ModelUnavailable("told not to answer")

    await room.bot()
    await room.observe()
    there, room.model = room.model, Away()
    with pytest.raises(ModelUnavailable):
        await room.decide()
    assert await room.store.decision(BOT, 1) is None
    room.model = there
    assert (await room.decide()).failed is None


async def test_of_two_answers_to_one_cycle_the_stored_one_counts(room: Room) -> None:
    """An attempt that was given up may answer while its successor is asking."""
    first: list[DecisionRecord] = []

    class Slow(FakeModel):
        async def complete(self, request: ModelRequest) -> ModelReply:
            room.model = FakeModel()
            await room.decide()
            stored = await room.store.decision(BOT, 1)
            first.extend([stored] if stored else [])
            return await super().complete(request)

    await room.bot()
    await room.observe()
    room.model = slow = Slow()
    slow.will_buy(BTC)
    assert (await room.decide()).proposals == ()
    assert await room.store.decision(BOT, 1) == first[0]
    assert (await room.validate()).orders == ()


async def test_a_provider_that_is_not_there_is_named_and_the_cycle_holds(room: Room) -> None:
    await room.bot(provider="oracle")
    await room.observe()
    failed = (await room.decide()).failed
    assert failed is not None
    assert "'oracle'; there are: dashscope, fake, openai" in failed


async def test_the_model_is_shown_the_same_whoever_made_the_snapshot(room: Room) -> None:
    await room.bot()
    await room.observe(cycle=1)
    await room.observe(cycle=2)
    await room.elsewhere().decide(cycle=2)
    await room.decide(cycle=1)
    first, second = [await room.store.decision(BOT, cycle) for cycle in (1, 2)]
    assert first is not None
    assert second is not None
    assert first.prompt_hash == second.prompt_hash
