"""Everything sold or stopped at once: each bot for itself, and nobody else's."""

import httpx
import pytest

from oxbot.adapters.postgres.store import PostgresStore
from oxbot.app import at_once
from oxbot.domain.errors import NotFound, OxbotError, Unavailable
from tests.api.answering import Answering, put_behind
from tests.api.conftest import PASSWORD, signed_in
from tests.api.test_answers import ended
from tests.support.trading import new_bot


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """One look at the record: what is told here is on it at once, or never."""
    monkeypatch.setattr(at_once, "WITHIN_S", 0)


def obedient(store: PostgresStore, **of: OxbotError) -> Answering:
    """Bots that put on record what they are told, but those with trouble."""
    control = Answering(**of)
    control.store = store
    return control


async def bobs(api: httpx.AsyncClient, store: PostgresStore) -> str:
    """Bob's id, who has registered; `admin` and he have a bot each, and `local` one."""
    await api.put("/registration", json={"open": True})
    bob = (await api.post("/register", json={"name": "bob", "password": PASSWORD})).json()["id"]
    admin = (await api.get("/me")).json()["id"]
    for bot_id, owner in (("admins", admin), ("bobs", bob), ("locals", "local")):
        await new_bot(store, bot_id, owner=owner)
    return str(bob)


async def test_an_administrator_sells_everything_or_only_their_own_and_others_their_own(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await bobs(api, store)
    put_behind(api, obedient(store))
    every = await api.post("/flatten", json={"reason": "the news"})
    assert [one["bot_id"] for one in every.json()] == ["admins", "bobs", "locals"]
    assert every.status_code == 200
    own = await api.post("/flatten?mine=true")
    assert [one["bot_id"] for one in own.json()] == ["admins"]
    await signed_in(api, "bob")
    control = obedient(store)
    put_behind(api, control)
    for path in ("/flatten", "/stop", "/stop?mine=true"):
        assert [one["bot_id"] for one in (await api.post(path)).json()] == ["bobs"]
    assert {bot_id for _, bot_id, _ in control.asked} == {"bobs"}


async def test_what_goes_wrong_with_one_bot_is_in_its_line_and_keeps_no_other(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await bobs(api, store)
    lost = NotFound("Bot bobs has no running workflow.")
    put_behind(api, obedient(store, bobs=lost))
    answer = await api.post("/flatten")
    assert answer.status_code == 202
    troubles = {one["bot_id"]: one["trouble"] for one in answer.json()}
    assert troubles == {"admins": "", "bobs": str(lost), "locals": ""}

    control = obedient(store, admins=Unavailable("It is away."))
    put_behind(api, control)
    await ended(store, "locals")
    answer = await api.post("/stop", json={"flatten": False, "reason": "over"})
    assert answer.status_code == 202
    said = {
        one["bot_id"]: (one["answer"] and one["answer"]["status"], one["trouble"])
        for one in answer.json()
    }
    assert said == {
        "admins": (None, "It is away."),
        "bobs": ("closing", ""),
        "locals": ("stopped", ""),
    }
    told = {bot_id: request for _, bot_id, request in control.asked}
    assert sorted(told) == ["admins", "bobs"]
    for bot_id in ("admins", "bobs"):
        await ended(store, bot_id)
    assert (await api.post("/stop")).status_code == 200
