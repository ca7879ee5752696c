"""200 only where it holds: what bots answer, and what the API makes of it."""

from typing import Any

import httpx

from oxbot.adapters.postgres.store import PostgresStore
from oxbot.domain.bot import BotStatus, RiskLimits
from oxbot.domain.errors import Conflict, NotFound, OxbotError, Unanswered, Unavailable
from oxbot.messages import ControlAnswer, LimitsAnswer, WriteControl
from tests.api.answering import FLAT, Answering, put_behind
from tests.support.trading import bought, new_bot

Json = dict[str, Any]  # Any: as JSON has it


def said(status: str, *in_flight: str, recorded: bool = True) -> ControlAnswer:
    return ControlAnswer(status=status, epoch=2, in_flight=in_flight, recorded=recorded)


CASES = [
    ("pause", said("paused"), 200),
    ("pause", said("pausing", "o1"), 202),
    ("pause", said("paused", "o1"), 202),
    ("pause", said("paused", recorded=False), 202),
    ("pause", said("running"), 202),
    ("pause", said("closing"), 202),
    ("resume", said("running"), 200),
    ("resume", said("running", "o1"), 200),
    ("resume", said("running", recorded=False), 202),
    ("resume", said("paused"), 202),
    ("stop", said("closing"), 202),
    ("stop", said("stopped"), 200),
    ("stop", said("paused"), 202),
]


async def test_200_says_that_what_was_wanted_holds(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store)
    for verb, answer, status in CASES:
        put_behind(api, Answering(answer))
        told = await api.post(f"/bots/b1/{verb}")
        assert (told.status_code, told.json()["status"]) == (status, answer.status), (verb, answer)


async def test_a_bot_that_has_ended_by_the_time_of_the_answer_is_told_to_have(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store)
    control = Answering(said("closing"))
    put_behind(api, control)
    assert (await api.post("/bots/b1/stop")).status_code == 202
    await ended(store, "b1")
    again = await api.post("/bots/b1/stop")
    assert (again.status_code, again.json()["status"]) == (200, "stopped")
    assert len(control.asked) == 1


async def ended(store: PostgresStore, bot_id: str) -> None:
    """Have the record say that a bot has stopped."""
    change = WriteControl(
        bot_id=bot_id, status=BotStatus.STOPPED, epoch=9, flatten=True, by="Ann", reason=""
    )
    await store.write_control(change)


async def test_limits_that_are_not_on_record_yet_are_202(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store)
    answer = LimitsAnswer(epoch=2, limits=RiskLimits(), changed=("stop",))
    for recorded, status in ((True, 200), (False, 202)):
        put_behind(api, Answering(answer.model_copy(update={"recorded": recorded})))
        told = await api.patch("/bots/b1/limits", json={"limits": {"stop": "2%"}})
        assert (told.status_code, told.json()["recorded"]) == (status, recorded)


NOT_TOLD: list[tuple[OxbotError, int]] = [
    (Unavailable("Temporal is away."), 503),
    (NotFound("Bot b1 has no running workflow."), 404),
    (Conflict("Bot b1 is stopped; it cannot flatten."), 409),
]


async def test_a_bot_that_was_not_told_to_sell_is_no_answer_to_a_flattening(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store)
    for error, status in NOT_TOLD:
        put_behind(api, Answering(error))
        told = await api.post("/bots/b1/flatten")
        assert (told.status_code, told.json()["detail"]) == (status, str(error))


async def test_a_flattening_that_nobody_answered_may_go_on_and_is_told_with_the_record(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store)
    await bought(store)
    put_behind(api, Answering(Unanswered("It may still take effect.")))
    told = await api.post("/bots/b1/flatten")
    assert (told.status_code, told.json()["trouble"]) == (202, "It may still take effect.")
    assert told.json()["report"]["positions"] == 1
    put_behind(api, Answering(FLAT))
    assert (await api.post("/bots/b1/flatten")).status_code == 202, "the record says what is held"


async def test_while_temporal_is_away_a_flattening_is_503(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store)
    told = await api.post("/bots/b1/flatten")
    assert told.status_code == 503
    assert "Temporal" in told.json()["detail"]
