"""Registering, signing in, staying signed in and signing out, on a real PostgreSQL."""

import asyncio
import json

import httpx
import jwt
import pytest

from api.app import create_app
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.domain.errors import SetupError
from oxbot.settings import Settings
from tests.api.conftest import NOWHERE, PASSWORD, SECRET, Json, serving, signed_in, token
from tests.support.trading import new_bot

OPEN = frozenset(
    (
        *("/healthz", "/readyz", "/metrics", "/docs", "/openapi.json", "/style.css"),
        *("/register", "/login", "/refresh", "/sign-in"),
    )
)
"""What everybody may ask for."""

NONE = {"alg": "none"}


def bearer(shown: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {shown}"}


async def asked(client: httpx.AsyncClient, name: str, path: str = "/login") -> httpx.Response:
    return await client.post(path, json={"name": name, "password": PASSWORD})


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


async def test_a_refresh_token_is_good_once_and_ends_its_login_the_second_time(
    api: httpx.AsyncClient,
) -> None:
    first = (await asked(api, "admin")).json()
    second = (await refreshed(api, first)).json()
    me = await api.get("/me", headers=bearer(second["access_token"]))
    assert (me.status_code, me.json()["name"]) == (200, "admin")
    assert (await refreshed(api, first)).status_code == 401
    assert (await refreshed(api, second)).status_code == 401
    assert (await api.get("/me", headers=bearer(second["access_token"]))).status_code == 401
    assert (await api.get("/me")).status_code == 200, "another login stands"


async def refreshed(api: httpx.AsyncClient, tokens: Json) -> httpx.Response:
    return await api.post("/refresh", json={"refresh_token": tokens["refresh_token"]})


async def test_of_two_who_use_one_refresh_token_at_once_one_is_refused(
    api: httpx.AsyncClient,
) -> None:
    tokens = (await asked(api, "admin")).json()
    answers = await asyncio.gather(*(refreshed(api, tokens) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 401]


async def test_after_a_logout_neither_token_is_good(api: httpx.AsyncClient) -> None:
    tokens = (await asked(api, "admin")).json()
    shown = bearer(tokens["access_token"])
    assert (await api.post("/logout", headers=shown)).status_code == 204
    assert (await api.get("/me", headers=shown)).status_code == 401
    assert (await refreshed(api, tokens)).status_code == 401


async def test_guessing_is_slowed_down_for_a_name_whoever_guesses(
    nobodys: httpx.AsyncClient,
) -> None:
    answers = [await asked(nobodys, "ann") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert answers[-1].json()["title"] == "Too many attempts"


async def test_whoever_signs_in_has_all_attempts_again(api: httpx.AsyncClient) -> None:
    for _ in range(4):
        wrong = {"name": "admin", "password": "not the right one"}
        assert (await api.post("/login", json=wrong)).status_code == 401
        assert (await asked(api, "admin")).status_code == 200


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
    assert [line["bot"]["id"] for line in (await api.get("/bots")).json()] == ["b1", "b2"]
    await signed_in(api, "bob")
    assert [line["bot"]["id"] for line in (await api.get("/bots")).json()] == ["b2"]
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


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:9999"])
async def test_a_page_of_another_site_can_neither_register_nor_sign_in(
    nobodys: httpx.AsyncClient, origin: str
) -> None:
    form = {"name": "eve", "password": PASSWORD}
    for path, body in (("/register", {"json": form}), ("/sign-in", {"data": {**form, "first": 1}})):
        answer = await nobodys.request("POST", path, headers={"Origin": origin}, **body)
        assert answer.status_code == 403
    text = {"Content-Type": "text/plain"}
    sent = await nobodys.post("/register", content=json.dumps(form), headers=text)
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
