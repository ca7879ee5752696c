"""What comes to the doors of the API: hosts, other sites, bodies that are none."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from api.doors import HEADERS, MOST, Hosts
from tests.api.conftest import PASSWORD, Json, serving

DEEP = b'{"name": ' + b"[" * 30_000 + b"]" * 30_000 + b"}"

HOSTILE = {
    "deep lists": (DEEP, (400, 422)),
    "deep objects": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, (400, 422)),
    "no UTF-8": (b'{"name": "\xff\xfe"}', (400, 422)),
    "half a pair": (b'{"\\ud800": "\\udfff", "name": "\\ud800"}', (422,)),
    "NUL": (b'{"name": "a\\u0000b", "\\u0000": 1}', (422,)),
    "no JSON": (b"{", (422,)),
    "no object": (b"[]", (422,)),
    "nothing": (b"null", (422,)),
    "a long number": (b'{"name": ' + b"9" * 60_000 + b"}", (400, 422)),
    "SQL": (json.dumps({"name": "'; DROP TABLE users; --", "password": PASSWORD}).encode(), (422,)),
    "a template": (json.dumps({"name": "{{7*7}}", "password": "${7*7} #{7*7}"}).encode(), (422,)),
    "10 MB": (b" " * 10_000_000, (413,)),
}

JSON = {"Content-Type": "application/json"}


def is_a_problem(answer: httpx.Response) -> bool:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem: Json = answer.json()
    assert problem["status"] == answer.status_code
    assert len(problem["detail"]) > 10
    return all(answer.headers[name] == value for name, value in HEADERS.items())


def with_bodies(document: Json) -> list[tuple[str, str]]:
    """Verb and path of each route that takes a body."""
    return [
        (verb, path.replace("{bot_id}", "b1"))
        for path, verbs in document["paths"].items()
        for verb, operation in verbs.items()
        if "requestBody" in operation
    ]


async def test_no_route_breaks_at_a_hostile_body(api: httpx.AsyncClient) -> None:
    """Somebody who is signed in sends it; whether it gets as far as that depends on the route."""
    needed = with_bodies((await api.get("/openapi.json")).json())
    assert len(needed) > 10
    for verb, path in needed:
        for what, (body, expected) in HOSTILE.items():
            answer = await api.request(verb, path, content=body, headers=JSON)
            assert answer.status_code in (*expected, 404, 429), (verb, path, what, answer.text)
            assert is_a_problem(answer), (verb, path, what)


async def test_a_body_that_hides_its_length_is_counted(nobodys: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(2 * MOST // 1024):
            yield b" " * 1024
        raise AssertionError("it is read on and on")

    answer = await nobodys.post("/login", content=endless(), headers=JSON)
    assert answer.status_code == 413
    assert is_a_problem(answer)
    most = b'{"name": "ann"' + b" " * (MOST - 15) + b"}"
    assert len(most) == MOST
    assert (await nobodys.post("/login", content=most, headers=JSON)).status_code == 422


@pytest.mark.parametrize("size", ["0", "-1", "501", "1e9", "9" * 400, "abc", "1;DROP TABLE bots"])
async def test_a_hostile_size_of_a_page_is_refused(api: httpx.AsyncClient, size: str) -> None:
    document = (await api.get("/openapi.json")).json()
    paged = [
        path
        for path, verbs in document["paths"].items()
        for parameter in verbs.get("get", {}).get("parameters", ())
        if parameter["name"] == "limit"
    ]
    assert len(paged) > 4
    for path in paged:
        answer = await api.get(path.replace("{bot_id}", "b1"), params={"limit": size})
        assert answer.status_code in (404, 422), path
        assert is_a_problem(answer)


@pytest.mark.parametrize(
    ("bound", "host", "is_known"),
    [
        ("127.0.0.1", "127.0.0.1:8020", True),
        ("127.0.0.1", "localhost", True),
        ("127.0.0.1", "[::1]:8020", True),
        ("::1", "127.0.0.1", True),
        ("127.0.0.2", "127.0.0.2:1", True),
        ("127.0.0.1", "192.168.1.5", False),
        ("::1", "evil.example", False),
        ("127.0.0.1", "127.0.0.1.evil.example", False),
        ("127.0.0.1", "evil.example@127.0.0.1.example", False),
        ("127.0.0.1", "[", False),
        ("127.0.0.1", "", False),
        ("0.0.0.0", "192.168.1.5:8020", True),  # noqa: S104 - compared, not bound
        ("0.0.0.0", "evil.example", False),  # noqa: S104 - as above
        ("0.0.0.0", "bots.example:443", True),  # noqa: S104 - as above
        ("127.0.0.1", "Bots.Example", True),
        ("trader", "trader:8020", True),
    ],
)
def test_the_api_goes_by_its_addresses_and_by_names_that_are_known(
    bound: str, host: str, *, is_known: bool
) -> None:
    assert Hosts(bound, frozenset({"bots.example"})).know(host) is is_known


async def test_what_is_refused_at_the_door_is_a_problem_with_all_headers(
    database_url: str,
) -> None:
    async with serving(database_url, user=None, api_hosts="bots.example") as client:
        for headers in ({"host": "evil.example"}, {"host": "["}):
            answer = await client.get("/healthz", headers=headers)
            assert answer.status_code == 400
            assert is_a_problem(answer)
            assert "OXBOT_API_HOSTS" in answer.json()["detail"]
        for origin in ("http://[", "https://evil.example", "null", ""):
            answer = await client.get("/healthz", headers={"Origin": origin})
            assert answer.status_code == 403
            assert is_a_problem(answer)
        own = {"host": "bots.example", "Origin": "http://bots.example"}
        assert (await client.get("/healthz", headers=own)).status_code == 200
        assert is_a_problem(await client.get("/nothing%00%ff/here"))
        assert is_a_problem(await client.delete("/bots"))
