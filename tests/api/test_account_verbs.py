"""Closing, reconciling, writing off, saying over: who may, and what is said where it cannot be."""

from typing import Any

import httpx
import pytest

from oxbot.adapters.postgres.store import PostgresStore
from oxbot.domain.errors import Conflict, NotFound, OxbotError, Unanswered, Unavailable
from oxbot.messages import ClosePosition, Reconciliation, SayOverRequest, WriteOffRequest
from tests.api.answering import Answering, put_behind
from tests.api.conftest import PASSWORD, signed_in
from tests.api.test_answers import ended
from tests.support.trading import new_bot

Json = dict[str, Any]  # Any: as JSON has it

CLOSE = "positions/BTC-USDT/close"
BODIES: dict[str, Json] = {
    CLOSE: {"reason": "the news"},
    "reconcile": {},
    "write-off": {"id": "w1", "losses": {"BTC": "1"}, "reason": "gone"},
    "over": {"order_id": "b1x", "reason": "I have looked"},
}
OF_ACCOUNTS = ("reconcile", "write-off", "over")
OF_ADMINISTRATORS = ("write-off", "over")

FOUND = Reconciliation()


async def owned_by_bob(api: httpx.AsyncClient, store: PostgresStore) -> None:
    """A live bot, `l1`, whose owner is no administrator."""
    await api.put("/registration", json={"open": True})
    bob = await api.post("/register", json={"name": "bob", "password": PASSWORD})
    await new_bot(store, "l1", mode="live", owner=bob.json()["id"])


async def ask(api: httpx.AsyncClient, verb: str, bot_id: str = "l1") -> httpx.Response:
    return await api.post(f"/bots/{bot_id}/{verb}", json=BODIES[verb])


async def test_what_only_administrators_may_is_refused_to_the_owner_and_tells_no_bot(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await owned_by_bob(api, store)
    control = Answering(FOUND)
    put_behind(api, control)
    for verb in OF_ACCOUNTS:
        assert (await ask(api, verb)).status_code == 200, verb
    asked = {verb: request for verb, _, request in control.asked}
    assert asked["write-off"] == WriteOffRequest.model_validate(
        {**BODIES["write-off"], "by": "admin, API"}
    )
    assert asked["over"] == SayOverRequest.model_validate({**BODIES["over"], "by": "admin, API"})

    await signed_in(api, "bob")
    control.asked.clear()
    assert (await ask(api, "reconcile")).status_code == 200
    for verb in OF_ADMINISTRATORS:
        refused = await ask(api, verb)
        assert (refused.status_code, refused.json()["title"]) == (403, "Forbidden"), verb
    assert [verb for verb, _, _ in control.asked] == ["reconcile"]


async def test_somebody_elses_bot_is_not_found_and_not_told(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await owned_by_bob(api, store)
    await api.post("/register", json={"name": "eve", "password": PASSWORD})
    await signed_in(api, "eve")
    control = Answering(FOUND)
    put_behind(api, control)
    for verb in BODIES:
        expected = 403 if verb in OF_ADMINISTRATORS else 404
        assert (await ask(api, verb)).status_code == expected, verb
        assert (await ask(api, verb, "l9")).status_code == expected, verb
    assert control.asked == []


async def test_a_close_names_the_coin_and_who_wanted_it(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await owned_by_bob(api, store)
    await signed_in(api, "bob")
    control = Answering(NotFound("Bot l1 holds nothing in BTC/USDT."))
    put_behind(api, control)
    assert (await ask(api, CLOSE)).status_code == 404
    wish = ClosePosition(symbol="BTC/USDT", by="bob, API", reason="the news")
    assert control.asked == [("close", "l1", wish)]


async def test_without_temporal_each_says_so_and_nothing_is_half_done(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store, "l1", mode="live")
    before = (await store.bot("l1"), await store.events("l1", 100))
    for verb in BODIES:
        answer = await ask(api, verb)
        assert (answer.status_code, answer.json()["title"]) == (503, "Unavailable"), verb
        assert "Temporal" in answer.json()["detail"]
        assert "oxbot doctor" in answer.json()["detail"]
    assert (await store.bot("l1"), await store.events("l1", 100)) == before


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Unanswered("It may still take effect: look at the bot before asking again."), 503),
        (Unavailable("OKX does not answer."), 503),
        (NotFound("Bot l1 has no running workflow."), 404),
        (Conflict("That is not what is missing."), 409),
    ],
)
async def test_what_a_bot_says_is_passed_on_word_by_word(
    api: httpx.AsyncClient, store: PostgresStore, error: OxbotError, status: int
) -> None:
    await new_bot(store, "l1", mode="live")
    put_behind(api, Answering(error))
    for verb in BODIES:
        answer = await ask(api, verb)
        assert (answer.status_code, answer.json()["detail"]) == (status, str(error)), verb
        assert answer.json()["title"].replace(" ", "") == type(error).__name__.capitalize()


@pytest.mark.parametrize("verb", ["pause", "resume", "stop", "limits"])
async def test_control_that_was_told_and_not_answered_says_to_look_first(
    api: httpx.AsyncClient, store: PostgresStore, verb: str
) -> None:
    await new_bot(store)
    put_behind(api, Answering(Unanswered("It may still take effect: look at the bot first.")))
    body = {"limits": {"stop": "2%"}} if verb == "limits" else {}
    method = "PATCH" if verb == "limits" else "POST"
    answer = await api.request(method, f"/bots/b1/{verb}", json=body)
    assert (answer.status_code, answer.json()["title"]) == (503, "Unanswered")
    assert "look at the bot first" in answer.json()["detail"]


async def test_paper_bots_have_no_account_and_stopped_ones_do_nothing(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store)
    await new_bot(store, "l1", mode="live")
    await ended(store, "l1")
    control = Answering(FOUND)
    put_behind(api, control)
    for verb in OF_ACCOUNTS:
        assert (await ask(api, verb, "b1")).status_code == 422, verb
    for verb in BODIES:
        assert (await ask(api, verb)).status_code == 409, verb
    assert control.asked == []
