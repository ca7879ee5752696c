"""Streams of events have no end, so that their documented answers are asked for one by one."""

import httpx
import pytest

from api.problems import MEDIA_TYPE
from oxbot.adapters.postgres.store import PostgresStore
from tests.api.conftest import client_of, settings_of, signed_in
from tests.support.api_server import listening, served
from tests.support.trading import new_bot

OF_ALL, OF_ONE = "/events", "/bots/{bot_id}/events/stream"
BY_ALL_ROUTES = {"400", "403"}
"""What the doors answer on any path; `test_doors.py` asks for that."""


@pytest.mark.parametrize("path", [OF_ALL, OF_ONE])
async def test_each_answer_of_a_stream_that_is_documented_is_given_as_documented(
    database_url: str, store: PostgresStore, path: str
) -> None:
    async with served(settings_of(database_url, api_streams=1)) as api, client_of(api) as ann:
        await new_bot(store)
        url = path.format(bot_id="b1")
        found = {"401": await ann.get(url, headers={"Authorization": "Bearer none"})}
        found["422"] = await ann.get(url, headers={"Last-Event-ID": "nowhere"})
        if path == OF_ONE:
            found["404"] = await ann.get(path.format(bot_id="nobodys"))
        async with listening(ann, url) as stream:
            await anext(stream)
            found["503"] = await ann.get(url)
        assert await documented(ann, path) == {"200", *found, *BY_ALL_ROUTES}
    for status, answer in found.items():
        assert str(answer.status_code) == status
        assert answer.headers["content-type"] == MEDIA_TYPE
        assert answer.json()["detail"]


async def documented(client: httpx.AsyncClient, path: str) -> set[str]:
    """The statuses that the document has for a stream, which is told to be one."""
    document = (await client.get("/openapi.json")).json()
    answers = document["paths"][path]["get"]["responses"]
    assert list(answers["200"]["content"]) == ["text/event-stream"]
    return set(answers)


async def test_a_logout_is_answered_as_documented_whatever_its_body(
    database_url: str,
) -> None:
    async with served(settings_of(database_url)) as api, client_of(api) as ann:
        wrong = await ann.post("/logout", json={"everywhere": "perhaps"})
        assert (wrong.status_code, wrong.headers["content-type"]) == (422, MEDIA_TYPE)
        for body in ({}, {"everywhere": False}, {"everywhere": True}):
            assert (await ann.post("/logout", json=body)).status_code == 204
            again = await ann.post("/logout", json=body)
            assert (again.status_code, again.headers["content-type"]) == (401, MEDIA_TYPE)
            await signed_in(ann, "admin")
