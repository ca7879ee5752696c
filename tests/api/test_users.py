"""Registering, signing in, staying signed in and signing out, on a real PostgreSQL."""

import asyncio
import json

import httpx
import jwt
import pytest

from api.app import create_app
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.domain.errors import SetupError
from oxbot.domain.users import first_code
from oxbot.settings import Settings
from tests.api.conftest import (
    NOWHERE,
    PASSWORD,
    SECRET,
    Json,
    asked,
    bearer,
    serving,
    signed_in,
    token,
)
from tests.support.trading import new_bot

OPEN = frozenset(
    (
        *("/healthz", "/readyz", "/metrics", "/docs", "/openapi.json", "/style.css"),
        *("/register", "/login", "/refresh", "/sign-in"),
    )
)
"""What everybody may ask for."""


async def test_the_first_user_is_the_administrator_and_then_registration_is_closed(
    nobodys: httpx.AsyncClient,
) -> None:
    first = await asked(nobodys, "Ann@example.org", "/register")
    assert first.status_code == 201
    assert (first.json()["name"], first.json()["is_admin"]) == ("ann@example.org", True)
    refused = await asked(nobodys, "bob", "/register")
    assert (refused.status_code, refused.json()["title"]) == (403, "Forbidden")
    await signed_in(nobodys, "ann@example.org")
    assert (await nobodys.put("/registration", json={"open": True})).status_code == 200
    second = await asked(nobodys, "bob", "/register")
    assert (second.status_code, second.json()["is_admin"]) == (201, False)
    assert (await asked(nobodys, "BOB", "/register")).status_code == 409
    assert (await nobodys.put("/registration", json={"open": False})).status_code == 200
    assert (await asked(nobodys, "carl", "/register")).status_code == 403


async def test_of_many_who_register_first_one_is_the_administrator(
    nobodys: httpx.AsyncClient,
) -> None:
    answers = await asyncio.gather(
        *(asked(nobodys, f"user{number}", "/register") for number in range(5))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 403, 403, 403, 403]


@pytest.mark.parametrize("name", ["a", "-a", "a b", "a\u0000b", "\u00e4nn", "a" * 61, ""])
async def test_a_name_that_cannot_be_is_refused(nobodys: httpx.AsyncClient, name: str) -> None:
    answer = await asked(nobodys, name, "/register")
    assert answer.status_code == 422
    assert "name" in answer.json()["detail"]


async def test_a_short_password_is_refused(nobodys: httpx.AsyncClient) -> None:
    answer = await nobodys.post("/register", json={"name": "ann", "password": "short"})
    assert answer.status_code == 422
    assert "short" not in answer.text


async def test_who_is_not_known_and_who_is_wrong_get_the_same_answer(
    api: httpx.AsyncClient,
) -> None:
    wrong = await api.post("/login", json={"name": "admin", "password": "not the right one"})
    unknown = await asked(api, "nobody")
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert wrong.json() == unknown.json()
    assert wrong.headers["WWW-Authenticate"] == "Bearer"


async def test_where_the_first_could_be_anybody_he_shows_the_code(
    database_url: str, store: PostgresStore
) -> None:
    ann = {"name": "ann", "password": PASSWORD}
    async with serving(database_url, user=None, api_host="0.0.0.0") as anywhere:  # noqa: S104
        refused = await anywhere.post("/register", json=ann)
        assert refused.status_code == 403
        assert "first_code" in refused.json()["detail"]
        wrong = {**ann, "code": first_code(SECRET[::-1])}
        assert (await anywhere.post("/register", json=wrong)).status_code == 403
    await new_bot(store)
    async with serving(database_url, user=None) as here:
        assert (await here.post("/register", json=ann)).status_code == 403
        form = {**ann, "first": "1"}
        assert (await here.post("/sign-in", data=form)).status_code == 403
        form["code"] = first_code(SECRET)
        assert (await here.post("/sign-in", data=form)).status_code == 303
        assert (await here.post("/register", json={**ann, "name": "bob"})).status_code == 403


def routes(document: Json) -> list[tuple[str, str]]:
    """Verb and path of each route that needs a token."""
    return [
        (verb, path)
        for path, verbs in document["paths"].items()
        if path not in OPEN
        for verb in verbs
    ]


async def test_no_route_answers_who_is_not_signed_in_or_no_longer(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store)
    over = (await asked(api, "admin")).json()["access_token"]
    await api.post("/logout", headers=bearer(over))
    claims = jwt.decode(over, options={"verify_signature": False})
    shown = {
        "none": {},
        "expired": bearer(token(now_ms=1)),
        "forged": bearer(token(secret=SECRET[::-1])),
        "unsigned": bearer(jwt.encode(claims, "", algorithm="none")),
        "another algorithm": bearer(jwt.encode(claims, SECRET * 2, algorithm="HS512")),
        "of the pages": bearer(token("0xbot-pages")),
        "revoked": bearer(over),
        "of nobody": bearer(token()),
        "no token": bearer("abc"),
        "another scheme": {"Authorization": "Basic YTpi"},
    }
    needed = routes((await api.get("/openapi.json")).json())
    assert len(needed) > 15
    del api.headers["Authorization"]
    for verb, path in needed:
        for why, headers in shown.items():
            answer = await api.request(verb, path.replace("{bot_id}", "b1"), headers=headers)
            assert answer.status_code == 401, (verb, path, why)
            assert answer.headers["content-type"] == "application/problem+json"


async def test_another_users_bot_is_not_found_in_the_words_of_one_that_there_is_not(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await api.put("/registration", json={"open": True})
    other = (await asked(api, "bob", "/register")).json()
    await new_bot(store, "b1")
    await new_bot(store, "b2", owner=other["id"])
    needed = routes((await api.get("/openapi.json")).json())
    listed = (await api.get("/bots")).json()["items"]
    assert [line["bot"]["id"] for line in listed] == ["b2", "b1"]
    await signed_in(api, "bob")
    assert [line["bot"]["id"] for line in (await api.get("/bots")).json()["items"]] == ["b2"]
    assert "b1" not in (await api.get("/")).text
    assert (await api.get("/bots/b2")).status_code == 200
    for verb, path in needed:
        if "{bot_id}" not in path:
            continue
        body = None if verb == "get" else BODIES.get(path.rpartition("/")[2], {})
        answer = await api.request(verb, path.replace("{bot_id}", "b1"), json=body)
        nobody = await api.request(verb, path.replace("{bot_id}", "b9"), json=body)
        assert answer.status_code in (403, 404), (verb, path)
        assert answer.text.replace("b1", "b9") == nobody.text


BODIES: dict[str, Json] = {
    "limits": {"limits": {"stop": "2%"}},
    "settings": {"settings": {"name": "Calm"}},
    "write-off": {"id": "w1", "losses": {"BTC": "1"}},
    "over": {"order_id": "b1x"},
}


async def test_only_an_administrator_opens_registration(api: httpx.AsyncClient) -> None:
    await api.put("/registration", json={"open": True})
    await asked(api, "bob", "/register")
    await signed_in(api, "bob")
    assert (await api.put("/registration", json={"open": True})).status_code == 403


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:9999", "http://["]
)
async def test_a_page_of_another_site_can_neither_register_nor_sign_in(
    nobodys: httpx.AsyncClient, origin: str
) -> None:
    form = {"name": "eve", "password": PASSWORD}
    for path, body in (("/register", {"json": form}), ("/sign-in", {"data": {**form, "first": 1}})):
        answer = await nobodys.request("POST", path, headers={"Origin": origin}, **body)
        assert answer.status_code == 403
    plain = {"Content-Type": "text/plain"}
    sent = await nobodys.post("/register", content=json.dumps(form), headers=plain)
    assert sent.status_code == 422, "what a form can send is no JSON"
    own = {"Origin": "http://127.0.0.1:8020"}
    assert (await nobodys.post("/register", json=form, headers=own)).status_code == 201


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("", "is missing"),
        ("short", "too short"),
        ("a" * 64, "too simple"),
        ("change-me-change-me-0123456789-abcdef", "an example"),
    ],
)
def test_without_a_secret_of_its_own_it_does_not_start(secret: str, said: str) -> None:
    given = {"database_url": "postgresql://x/y", "redis_url": f"redis://{NOWHERE}"}
    settings = {**given, "temporal_address": NOWHERE, "api_secret": secret}
    with pytest.raises(SetupError, match=said):
        create_app(Settings.model_validate(settings))


async def test_pages_are_shown_to_who_has_signed_in_there_and_to_nobody_else(
    database_url: str,
) -> None:
    async with serving(database_url, user=None) as client:
        answer = await client.get("/")
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
        assert "The first user is the administrator" in (await client.get("/sign-in")).text
        form = {"name": "ann", "password": PASSWORD, "first": "1"}
        entered = await client.post("/sign-in", data=form)
        assert entered.status_code == 303
        cookie = entered.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "There is no bot yet" in (await client.get("/")).text
        assert (await client.get("/bots")).status_code == 401, "a cookie controls nothing"
        kept = dict(client.cookies)
        assert (await client.post("/sign-out")).status_code == 303
        client.cookies.update(kept)
        assert (await client.get("/")).status_code == 303
        assert "first user" not in (await client.get("/sign-in")).text
        wrong = await client.post("/sign-in", data={"name": "ann", "password": "wrong"})
        assert (wrong.status_code, "password is wrong" in wrong.text) == (401, True)


async def test_a_form_that_is_none_or_too_long_is_refused_as_a_page(
    nobodys: httpx.AsyncClient,
) -> None:
    for body in (b"\xff\xfe", b"name=" + b"a" * 3_000):
        answer = await nobodys.post("/sign-in", content=body)
        assert answer.status_code == 422
        assert answer.headers["content-type"].startswith("text/html")
