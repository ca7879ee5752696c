"""Registering, signing in, staying signed in and signing out, on a real PostgreSQL."""

import asyncio
import json

import httpx
import jwt
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from api.app import create_app
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.adapters.postgres.users import PostgresUsers
from oxbot.domain.errors import SetupError
from oxbot.domain.users import Claim, NewLogin, NewUser, first_code
from oxbot.settings import Settings
from tests.api.conftest import (
    NOWHERE,
    PASSWORD,
    SECRET,
    Json,
    serving,
    settings_of,
    signed_in,
    token,
)
from tests.support.trading import NOW_MS, new_bot

OPEN = frozenset(
    (
        *("/healthz", "/readyz", "/metrics", "/docs", "/openapi.json", "/style.css"),
        *("/register", "/login", "/refresh", "/sign-in"),
    )
)
"""What everybody may ask for."""

ANN = NewUser.model_validate({"id": "u1", "name": "ann", "password_hash": "none"})


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
    third = (await refreshed(api, second)).json()
    me = await api.get("/me", headers=bearer(third["access_token"]))
    assert (me.status_code, me.json()["name"]) == (200, "admin")
    assert (await refreshed(api, first)).status_code == 401
    assert (await refreshed(api, third)).status_code == 401
    assert (await api.get("/me", headers=bearer(third["access_token"]))).status_code == 401
    assert (await api.get("/me")).status_code == 200, "another login stands"


async def refreshed(api: httpx.AsyncClient, tokens: Json) -> httpx.Response:
    return await api.post("/refresh", json={"refresh_token": tokens["refresh_token"]})


async def test_a_refresh_token_whose_answer_was_lost_is_good_again_while_nothing_came_of_it(
    api: httpx.AsyncClient,
) -> None:
    lost = (await asked(api, "admin")).json()
    unheard = (await refreshed(api, lost)).json()
    heard = (await refreshed(api, lost)).json()
    following = await refreshed(api, heard)
    assert following.status_code == 200
    assert (await refreshed(api, unheard)).status_code == 401, "somebody has heard it after all"
    assert (await refreshed(api, following.json())).status_code == 401, "so the login is over"


async def test_of_two_who_use_one_refresh_token_at_once_one_stays(api: httpx.AsyncClient) -> None:
    tokens = (await asked(api, "admin")).json()
    answers = await asyncio.gather(*(refreshed(api, tokens) for _ in range(2)))
    assert [answer.status_code for answer in answers] == [200, 200]
    again = [(await refreshed(api, answer.json())).status_code for answer in answers]
    assert 401 in again


async def test_after_ten_seconds_a_refresh_token_that_comes_again_was_stolen(
    engine: AsyncEngine,
) -> None:
    users = PostgresUsers(engine)
    await users.register(ANN, Claim.LOCAL)
    opened = {"id": "l1", "user_id": "u1", "token_hash": "a", "opened_ms": NOW_MS}
    await users.open_login(NewLogin.model_validate({**opened, "expires_ms": NOW_MS + 10**9}))
    assert await users.use("a", "b", NOW_MS) is not None
    assert await users.use("a", "c", NOW_MS + 10_000) is not None
    assert await users.use("a", "d", NOW_MS + 10_001) is None
    assert await users.use("c", "e", NOW_MS + 10_002) is None, "its login has ended"


async def test_logins_that_were_over_a_month_ago_are_forgotten_with_their_tokens(
    engine: AsyncEngine,
) -> None:
    users = PostgresUsers(engine)
    await users.register(ANN, Claim.LOCAL)
    for number, opened_ms in enumerate((NOW_MS, NOW_MS + 1, NOW_MS + 31 * 86_400_000 + 1)):
        own = {"id": f"l{number}", "token_hash": f"t{number}", "opened_ms": opened_ms}
        expires_ms = opened_ms + 86_400_000
        given = {"user_id": "u1", "expires_ms": expires_ms, **own}
        await users.open_login(NewLogin.model_validate(given))
    async with engine.connect() as connection:
        kept = await connection.scalars(text("SELECT login_id FROM refresh_tokens ORDER BY 1"))
        assert kept.all() == ["l1", "l2"]
        assert await connection.scalar(text("SELECT count(*) FROM logins")) == 2


async def test_a_new_password_ends_all_other_logins(api: httpx.AsyncClient) -> None:
    other = bearer((await asked(api, "admin")).json()["access_token"])
    change = {"old": "not the right one", "new": "another long way"}
    assert (await api.put("/me/password", json=change)).status_code == 401
    assert (await api.get("/me", headers=other)).status_code == 200
    change["old"] = PASSWORD
    assert (await api.put("/me/password", json=change)).status_code == 204
    assert (await api.get("/me", headers=other)).status_code == 401
    assert (await api.get("/me")).status_code == 200
    assert (await asked(api, "admin")).status_code == 401
    new = {"name": "admin", "password": "another long way"}
    assert (await api.post("/login", json=new)).status_code == 200


async def test_a_logout_everywhere_ends_all_logins_of_that_user(api: httpx.AsyncClient) -> None:
    await api.put("/registration", json={"open": True})
    await asked(api, "bob", "/register")
    bobs = bearer((await asked(api, "bob")).json()["access_token"])
    other = bearer((await asked(api, "admin")).json()["access_token"])
    assert (await api.post("/logout", json={"everywhere": True}, headers=other)).status_code == 204
    assert (await api.get("/me")).status_code == 401
    assert (await api.get("/me", headers=bobs)).status_code == 200


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


async def test_whoever_guesses_from_elsewhere_keeps_nobody_out(database_url: str) -> None:
    """A name is guessed at from an address: that of the guesser has no more attempts."""
    application = create_app(settings_of(database_url))
    async with application.router.lifespan_context(application):
        clients = [
            httpx.AsyncClient(
                transport=httpx.ASGITransport(application, client=(address, 1)),
                base_url="http://127.0.0.1:8020",
            )
            for address in ("127.0.0.1", "127.0.0.2")
        ]
        owner, guesser = clients
        assert (await asked(owner, "ann", "/register")).status_code == 201
        wrong = {"name": "ann", "password": "not the right one"}
        guesses = [await guesser.post("/login", json=wrong) for _ in range(6)]
        assert guesses[-1].status_code == 429
        for _ in range(6):
            assert (await asked(guesser, "ann", "/register")).status_code == 403
        assert (await asked(owner, "ann")).status_code == 200
        for client in clients:
            await client.aclose()


async def test_what_is_no_refresh_token_is_counted_and_one_that_is_always_serves(
    api: httpx.AsyncClient,
) -> None:
    tokens = (await asked(api, "admin")).json()
    junk = [await api.post("/refresh", json={"refresh_token": "junk"}) for _ in range(21)]
    assert [answer.status_code for answer in junk] == [401] * 20 + [429]
    assert (await refreshed(api, tokens)).status_code == 200


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
