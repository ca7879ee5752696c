"""A decision by the providers' real clients: what is repaired, what holds, and what is kept."""

import pytest

from oxbot.app.ask_model import Patience
from oxbot.domain.errors import ModelRateLimited, ModelUnavailable
from oxbot.domain.models import ModelChoice
from oxbot.model_server.fault_rules import FaultKind, FaultRule
from oxbot.model_server.faults import Faults
from oxbot.ports import ChatModel
from oxbot.records import DecisionRecord
from tests.activities.models.asking import KEY
from tests.activities.models.conftest import MakeModel
from tests.unit.app.room import BOT, Room

pytestmark = pytest.mark.critical

SPOILED = (
    *(FaultKind.BAD_JSON, FaultKind.PROSE, FaultKind.EMPTY, FaultKind.CUT),
    *(FaultKind.EXTRA_FIELD, FaultKind.INVENTED_SYMBOL, FaultKind.NOT_A_NUMBER),
    *(FaultKind.NEGATIVE, FaultKind.WORD),
)


@pytest.fixture
async def room(model: ChatModel) -> Room:
    return await room_of(model)


async def room_of(model: ChatModel) -> Room:
    """A bot whose one model is behind a real client."""
    room = Room(others={"real": model})
    await room.bot(provider="real", model="qwen-plus")
    await room.observe()
    return room


async def stored(room: Room) -> DecisionRecord:
    record = await room.store.decision(BOT, 1)
    assert record is not None
    return record


async def test_a_decision_is_kept_with_what_it_cost(room: Room, faults: Faults) -> None:
    assert (await room.decide()).failed is None
    record = await stored(room)
    assert record.decision is not None
    assert (record.model, record.repaired) == ("qwen-plus", False)
    assert record.tokens_in > 0
    assert record.tokens_out > 0
    assert record.cost_usd > 0
    assert record.request_id
    await room.decide()
    assert faults.asked == 1


@pytest.mark.parametrize("kind", SPOILED)
async def test_a_reply_that_is_bad_once_is_repaired(
    room: Room, faults: Faults, kind: FaultKind
) -> None:
    faults.add([FaultRule(kind=kind, count=1)])
    assert (await room.decide()).failed is None
    assert (await stored(room)).repaired
    assert faults.asked == 2


@pytest.mark.parametrize("kind", SPOILED)
async def test_a_reply_that_is_bad_twice_holds(room: Room, faults: Faults, kind: FaultKind) -> None:
    faults.add([FaultRule(kind=kind)])
    brief = await room.decide()
    assert brief.proposals == ()
    record = await stored(room)
    assert record.decision is None
    assert record.failed is not None
    assert record.failed.endswith("That was after a repair request.")
    assert not record.repaired
    assert faults.asked == 2
    assert (await room.validate()).orders == ()


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (FaultKind.INVALID_KEY, "does not take this API key"),
        (FaultKind.ARREARAGE, "does not serve this account any more"),
        (FaultKind.FREE_QUOTA, "does not serve this account any more"),
        (FaultKind.BLOCKED, "for its content"),
    ],
)
async def test_a_refusal_holds_and_the_record_says_why_without_the_key(
    room: Room, faults: Faults, kind: FaultKind, told: str
) -> None:
    faults.add([FaultRule(kind=kind)])
    brief = await room.decide()
    assert brief.failed is not None
    assert told in brief.failed
    record = await stored(room)
    assert record.failed == brief.failed
    assert KEY not in record.model_dump_json()
    assert faults.asked == 1


async def test_what_was_held_back_is_billed_all_the_same(room: Room, faults: Faults) -> None:
    faults.add([FaultRule(kind=FaultKind.FILTERED)])
    assert (await room.decide()).failed is not None
    record = await stored(room)
    assert record.tokens_in > 0
    assert record.cost_usd > 0


async def test_a_repair_that_was_held_back_is_billed_too(room: Room, faults: Faults) -> None:
    faults.add([FaultRule(kind=FaultKind.PROSE, count=1), FaultRule(kind=FaultKind.FILTERED)])
    brief = await room.decide()
    assert brief.failed is not None
    assert "Asked again" in brief.failed
    record = await stored(room)
    once = await room_of(room.others["real"])
    faults.clear()
    await once.decide()
    assert record.cost_usd > (await stored(once)).cost_usd


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (FaultKind.INVALID_KEY, "does not take this API key"),
        (FaultKind.ARREARAGE, "does not serve this account any more"),
        (FaultKind.BAD_GATEWAY, "gave no answer"),
    ],
)
async def test_where_a_fallback_decides_the_record_and_the_bot_say_who_should_have_and_why_not(
    model: ChatModel, faults: Faults, kind: FaultKind, told: str
) -> None:
    faults.add([FaultRule(kind=kind)])
    room = Room(others={"real": model})
    await room.bot(provider="real", model="qwen-plus", fallbacks=(ModelChoice(provider="fake"),))
    await room.observe()
    brief = await room.decide()
    assert brief.failed is None
    assert brief.passed_over is not None
    assert told in brief.passed_over
    assert told in brief.told
    assert KEY not in brief.model_dump_json()
    assert (await stored(room)).passed_over == brief.passed_over


@pytest.mark.parametrize(
    "kind", [FaultKind.BAD_GATEWAY, FaultKind.ERROR_200, FaultKind.HTML_200, FaultKind.RESET]
)
async def test_an_outage_leaves_nothing_and_the_next_try_decides(
    room: Room, faults: Faults, kind: FaultKind
) -> None:
    faults.add([FaultRule(kind=kind, count=1)])
    with pytest.raises(ModelUnavailable):
        await room.decide()
    assert await room.store.decision(BOT, 1) is None
    assert (await room.decide()).failed is None


async def test_throttling_leaves_nothing_and_says_how_long_to_wait(
    room: Room, faults: Faults
) -> None:
    faults.add([FaultRule(kind=FaultKind.RATE_QUOTA, retry_after_s=9)])
    with pytest.raises(ModelRateLimited) as caught:
        await room.decide()
    assert caught.value.retry_after_s == 9
    assert await room.store.decision(BOT, 1) is None


async def test_an_answer_slower_than_the_limit_is_no_answer(room: Room, faults: Faults) -> None:
    faults.add([FaultRule(kind=FaultKind.SLOW, delay_ms=60_000)])
    with pytest.raises(ModelUnavailable, match="gave no answer within"):
        await room.decide(patience=Patience(0.2))
    assert await room.store.decision(BOT, 1) is None


async def test_an_answer_slower_than_the_clients_own_limit_is_no_answer(
    make: MakeModel, faults: Faults
) -> None:
    faults.add([FaultRule(kind=FaultKind.SLOW, delay_ms=60_000)])
    room = await room_of(await make(answer_s=0.2))
    with pytest.raises(ModelUnavailable, match="no answer in time"):
        await room.decide()
