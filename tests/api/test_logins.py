"""Staying signed in, and what ends that: refresh tokens, logouts, passwords, attempts."""

import asyncio

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from api.app import create_app
from oxbot.adapters.postgres.users import PostgresUsers
from oxbot.domain.users import Claim, NewLogin, NewUser
from tests.api.conftest import (
    PASSWORD,
    Json,
    asked,
    bearer,
    settings_of,
)
from tests.support.trading import NOW_MS

ANN = NewUser.model_validate({"id": "u1", "name": "ann", "password_hash": "none"})


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
    await users.open_login(
        NewLogin.model_validate({**opened, "expires_ms": NOW_MS + 10**9}), ANN.password_hash
    )
    assert await users.use("a", "b", NOW_MS) is not None
    assert await users.use("a", "c", NOW_MS + 10_000) is not None
    assert await users.use("a", "d", NOW_MS + 10_001) is None
    assert await users.use("c", "e", NOW_MS + 10_002) is None, "its login has ended"


async def test_a_login_does_not_begin_with_a_password_that_was_changed_meanwhile(
    engine: AsyncEngine,
) -> None:
    users = PostgresUsers(engine)
    await users.register(ANN, Claim.LOCAL)
    given = {"id": "l1", "user_id": "u1", "token_hash": "a", "opened_ms": NOW_MS}
    login = NewLogin.model_validate({**given, "expires_ms": NOW_MS + 10**9})
    assert not await users.open_login(login, "the one of before")
    assert await users.use("a", "b", NOW_MS) is None
    assert await users.open_login(login, ANN.password_hash)


async def test_logins_that_were_over_a_month_ago_are_forgotten_with_their_tokens(
    engine: AsyncEngine,
) -> None:
    users = PostgresUsers(engine)
    await users.register(ANN, Claim.LOCAL)
    for number, opened_ms in enumerate((NOW_MS, NOW_MS + 1, NOW_MS + 31 * 86_400_000 + 1)):
        own = {"id": f"l{number}", "token_hash": f"t{number}", "opened_ms": opened_ms}
        expires_ms = opened_ms + 86_400_000
        given = {"user_id": "u1", "expires_ms": expires_ms, **own}
        await users.open_login(NewLogin.model_validate(given), ANN.password_hash)
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


async def test_whoever_signs_in_has_all_attempts_again(api: httpx.AsyncClient) -> None:
    for _ in range(4):
        wrong = {"name": "admin", "password": "not the right one"}
        assert (await api.post("/login", json=wrong)).status_code == 401
        assert (await asked(api, "admin")).status_code == 200


async def test_of_two_who_change_a_password_at_once_by_the_same_old_one_one_does(
    api: httpx.AsyncClient,
) -> None:
    changes = [{"old": PASSWORD, "new": f"another long way {number}"} for number in range(2)]
    answers = await asyncio.gather(*(api.put("/me/password", json=each) for each in changes))
    assert sorted(answer.status_code for answer in answers) == [204, 401]
    for change, answer in zip(changes, answers, strict=True):
        again = {"name": "admin", "password": change["new"]}
        wanted = 200 if answer.status_code == 204 else 401
        assert (await api.post("/login", json=again)).status_code == wanted
