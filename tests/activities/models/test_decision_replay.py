"""Recorded cycles decided anew: by real clients, from real PostgreSQL."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from oxbot.adapters.models.choice import dashscope_setup
from oxbot.adapters.models.dashscope import DashScopeModel
from oxbot.adapters.models.recorded import RecordedModel
from oxbot.adapters.models.reply_files import ReplyFiles
from oxbot.adapters.postgres.seen_cycles import PostgresSeenCycles
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.app.answering import answered
from oxbot.app.decision_replay import (
    ModelChange,
    Replayed,
    Variant,
    keep_recorded,
    question_of,
    replay_cycle,
)
from oxbot.app.decision_replays import Stopped, replay_all, summed_up
from oxbot.app.kept import KeptModel
from oxbot.app.replay_source import BudgetSpent, Source
from oxbot.domain.errors import InputError, NotFound
from oxbot.domain.market import CANDLE_MS
from oxbot.domain.money import Price
from oxbot.model_server.fault_rules import FaultKind, FaultRule
from oxbot.model_server.faults import Faults
from oxbot.ports import ChatModel
from tests.activities.models.asking import KEY, settings_for
from tests.support.fake_store import FakeStore
from tests.support.fakes import BTC, ETH
from tests.unit.app.room import BOT, NOW_MS, Room

CYCLES = 6
ALL = (BOT, range(1, CYCLES + 1))
REPAIRED, HELD, BLOCKED = 3, 4, 5
"""Cycles whose model answered badly once, badly twice, and not at all for the content."""

SAME = Variant()


@pytest.fixture
async def model(url: str) -> AsyncIterator[ChatModel]:
    """One SDK is enough: what they have in common is tested elsewhere."""
    async with DashScopeModel(dashscope_setup(settings_for(url))) as qwen:
        yield qwen


@pytest.fixture
async def read(
    engine: AsyncEngine, store: PostgresStore, model: ChatModel, faults: Faults
) -> PostgresSeenCycles:
    """A bot that has lived six cycles: it bought and sold, was repaired, held and was refused."""
    room = Room(store=cast("FakeStore", store), others={"real": model})
    await room.bot(provider="real", model="qwen-plus")
    await store.reserve_cycles(BOT, "chain", "run", CYCLES)
    room.feed.trend = Decimal("0.001")
    spoil = {
        REPAIRED: FaultRule(kind=FaultKind.BAD_JSON, count=1),
        HELD: FaultRule(kind=FaultKind.PROSE, count=2),
        BLOCKED: FaultRule(kind=FaultKind.BLOCKED, count=1),
    }
    for cycle in range(1, CYCLES + 1):
        room.now_ms = NOW_MS + cycle * CANDLE_MS
        room.feed.prices |= {BTC: Price(60_000 + 90 * cycle), ETH: Price(3_000 - 5 * cycle)}
        faults.add([spoil[cycle]] if cycle in spoil else [])
        await room.observe(cycle, room.now_ms)
        await room.decide(cycle)
        for order in (await room.validate(cycle)).orders:
            await room.execute(order.id)
    return PostgresSeenCycles(engine)


@pytest.fixture
def replies(tmp_path: Path) -> ReplyFiles:
    return ReplyFiles(tmp_path / "replies")


@pytest.fixture
def source(model: ChatModel, replies: ReplyFiles) -> Source:
    return Source({"real": KeptModel(model, replies)})


async def replayed(
    read: PostgresSeenCycles, variant: Variant, source: Source, cycle: int = 1
) -> Replayed:
    return await replay_cycle(await read.seen(BOT, cycle), variant, source)


async def everything(replaying: AsyncIterator[Replayed]) -> list[Replayed]:
    return [one async for one in replaying]


@pytest.mark.critical
async def test_what_nothing_changed_about_comes_to_the_same_and_asks_nobody(
    read: PostgresSeenCycles, faults: Faults
) -> None:
    """Each prompt is built again to the letter, and each verdict passed again to the digit."""
    asked = faults.asked
    for cycle in await read.asked(BOT, None, CYCLES):
        seen = await read.seen(BOT, cycle)
        again = await replay_cycle(seen, SAME, Source({}))
        assert again.undone is None
        assert again.after == again.before
        assert again.differences == ()
        assert (again.failed, again.spent_after) == (seen.record.failed, again.spent_before)
        assert seen.verdicts == again.before.verdicts
    assert faults.asked == asked


async def test_a_run_has_what_it_is_to_be_replayed_by(read: PostgresSeenCycles) -> None:
    """Else the tests here would compare nothing with nothing."""
    seen = [await read.seen(BOT, cycle) for cycle in range(1, CYCLES + 1)]
    assert any(cycle.verdicts for cycle in seen)
    assert any(cycle.facts and cycle.facts.portfolio.positions for cycle in seen)
    assert [cycle.record.repaired for cycle in seen].index(True) == REPAIRED - 1
    assert seen[REPAIRED - 1].record.first_reply not in (None, seen[REPAIRED - 1].record.reply)
    assert [bool(cycle.decision) for cycle in seen] == [True, True, True, False, False, True]
    assert all(cycle.context is not None for cycle in seen)


async def test_a_question_that_was_refused_is_asked_of_another_model_alone(
    read: PostgresSeenCycles, source: Source, faults: Faults
) -> None:
    asked = faults.asked
    same = await replayed(read, SAME, source, BLOCKED)
    assert same.failed is not None
    assert "for its content" in same.failed
    assert faults.asked == asked
    other = await replayed(read, Variant(model=ModelChange(model="qwen-max")), source, BLOCKED)
    assert other.failed is None
    assert other.after is not None
    assert other.after.decision is not None
    assert (faults.asked, source.asked) == (asked + 1, 1)


async def test_a_reply_that_was_cut_holds_again_although_its_text_is_whole(
    read: PostgresSeenCycles,
) -> None:
    seen = await read.seen(BOT, 1)
    cut = {"finish_reason": "length", "decision": None, "failed": "It was cut."}
    again = await replay_cycle(
        seen.model_copy(update={"record": seen.record.model_copy(update=cut)}), SAME, Source({})
    )
    assert again.failed == "It was cut."
    assert again.after is not None
    assert again.after.decision is None


async def test_a_model_whose_price_nobody_knows_is_not_asked(
    read: PostgresSeenCycles, source: Source, faults: Faults
) -> None:
    asked = faults.asked
    with pytest.raises(InputError, match="Nobody knows what real nobody-1 costs"):
        await replayed(read, Variant(model=ModelChange(model="nobody-1")), source)
    assert faults.asked == asked


async def test_what_is_held_back_is_paid_for_once_and_counts_towards_the_budget(
    read: PostgresSeenCycles, source: Source, replies: ReplyFiles, faults: Faults
) -> None:
    faults.add([FaultRule(kind=FaultKind.FILTERED)])
    other = Variant(model=ModelChange(model="qwen-max"))
    first = await replayed(read, other, source)
    assert first.failed is not None
    assert source.asked == 1
    assert source.spent.cost_usd == first.spent_after.cost_usd > 0
    asked = faults.asked
    again = await replayed(read, other, Source({"real": RecordedModel(replies)}))
    kept = await replayed(read, other, Source({"real": source.models["real"]}))
    assert (again.failed, again.spent_after) == (first.failed, first.spent_after)
    assert (kept.failed, kept.spent_after) == (first.failed, first.spent_after)
    assert faults.asked == asked
    poor = Source(source.models, first.spent_after.cost_usd)
    with pytest.raises(BudgetSpent):
        await replayed(read, other, poor, 2)


async def test_replies_on_record_serve_whoever_asks_the_same(
    read: PostgresSeenCycles, replies: ReplyFiles, faults: Faults
) -> None:
    """Also the second question of a repair, which follows from the first reply."""
    asked = faults.asked
    serving = KeptModel(RecordedModel(replies), replies)
    for cycle in range(1, CYCLES + 1):
        seen = await read.seen(BOT, cycle)
        await keep_recorded(seen, replies)
        if not seen.replies:
            continue
        brief = seen.brief
        assert brief is not None
        question = question_of(seen, brief, SAME, Source({}))
        answer = await answered("served", question, serving.complete)
        assert (answer.decision, answer.repaired) == (seen.record.decision, seen.record.repaired)
        assert answer.reply.cost_usd == seen.record.cost_usd
    assert faults.asked == asked


async def test_another_model_is_asked_once_and_its_answers_are_kept(
    read: PostgresSeenCycles, source: Source, replies: ReplyFiles, faults: Faults
) -> None:
    other = Variant(model=ModelChange(model="qwen-max"))
    asked = faults.asked
    first = await everything(replay_all(read, ALL, other, source))
    assert (faults.asked, source.asked) == (asked + CYCLES, CYCLES)
    assert source.spent.cost_usd == sum(one.spent_after.cost_usd for one in first) > 0
    nobody = Source({"real": RecordedModel(replies)})
    again = await everything(replay_all(read, ALL, other, nobody))
    assert [one.after for one in again] == [one.after for one in first]
    assert [one.spent_after for one in again] == [one.spent_after for one in first]
    assert faults.asked == asked + CYCLES


async def test_who_is_to_ask_nobody_says_what_is_not_on_record(
    read: PostgresSeenCycles, replies: ReplyFiles
) -> None:
    nobody = Source({"real": RecordedModel(replies)})
    undone = await replayed(read, Variant(model=ModelChange(model="qwen-max")), nobody)
    assert undone.after is None
    assert undone.undone is not None
    assert "is on record" in undone.undone
    found = summed_up(BOT, [undone], nobody, warnings=(), stopped=None)
    assert (found.alike, found.different, found.undone) == (0, 0, 1)


async def test_kept_decisions_are_judged_by_other_limits_and_nobody_is_asked(
    read: PostgresSeenCycles, faults: Faults
) -> None:
    asked = faults.asked
    strict = Variant(limits={"confidence": "0.99"}, keep=True)
    done = await everything(replay_all(read, ALL, strict, Source({})))
    found = summed_up(BOT, done, Source({}), warnings=(), stopped=None)
    assert found.before.entries > 0
    assert (found.after.entries, found.after.refusals) == (0, found.before.entries)
    assert {d.rules for one in done for d in one.differences} == {"refused by confidence"}
    assert faults.asked == asked


async def test_other_limits_are_told_to_the_model_as_well(
    read: PostgresSeenCycles, source: Source
) -> None:
    again = await replayed(read, Variant(limits={"stop": "2%"}), source)
    assert source.asked == 1
    assert again.after is not None
    assert {v.stop for v in again.after.verdicts} == {Decimal("0.02")}


async def test_another_wording_is_another_question(
    read: PostgresSeenCycles, source: Source
) -> None:
    """The second cycle has a past to be left out, so its prompt is shorter."""
    again = await replayed(read, Variant(prompt_version="2-now"), source, 2)
    assert source.asked == 1
    assert 0 < again.spent_after.tokens_in < again.spent_before.tokens_in
    with pytest.raises(InputError, match="no prompt version '7'; there are: 2, 2-now"):
        await replayed(read, Variant(prompt_version="7"), source, 2)


async def test_limits_that_contradict_each_other_are_refused(
    read: PostgresSeenCycles, source: Source
) -> None:
    with pytest.raises(InputError, match="contradict each other"):
        await replayed(read, Variant(limits={"stop": "20%"}), source)
    assert source.asked == 0


async def test_a_replay_stops_at_its_budget_and_at_a_model_that_refuses_and_goes_on_from_there(
    read: PostgresSeenCycles, source: Source, faults: Faults
) -> None:
    other = Variant(model=ModelChange(model="qwen-max"))
    poor = Source(source.models, Decimal("0.000001"))
    replaying = replay_all(read, ALL, other, poor)
    done = [await anext(replaying) for _ in range(4)]
    with pytest.raises(Stopped, match=r"budget of 0\.000001 USD for this replay is spent"):
        await anext(replaying)
    rich = Source(source.models)
    faults.add([FaultRule(kind=FaultKind.INVALID_KEY, count=2)])
    with pytest.raises(Stopped, match="The same command goes on") as caught:
        await everything(replay_all(read, ALL, other, rich))
    assert KEY not in str(caught.value)
    asked = faults.asked
    whole = await everything(replay_all(read, ALL, other, rich))
    assert whole[:4] == done
    assert faults.asked == asked + CYCLES - 4


async def test_what_older_versions_did_not_keep_is_not_replayed(
    read: PostgresSeenCycles, engine: AsyncEngine, source: Source
) -> None:
    seen = await read.seen(BOT, 1)
    undone = await replay_cycle(seen.model_copy(update={"facts": None}), SAME, source)
    assert undone.undone is not None
    assert "was not kept" in undone.undone


async def test_cycles_are_named_by_range_or_as_the_newest(read: PostgresSeenCycles) -> None:
    assert await read.asked(BOT, range(2, 5), 50) == [2, 3, 4]
    assert await read.asked(BOT, None, 2) == [5, 6]
    with pytest.raises(NotFound, match="no bot"):
        await read.asked("nobody", None, 2)
    with pytest.raises(NotFound, match="No model was asked in cycle 99"):
        await read.seen(BOT, 99)
