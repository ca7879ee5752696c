"""`oxbot users ...`: users administered on the machine, as the API then meets them."""

import asyncio
import io
import json
import os
import sys
from dataclasses import dataclass
from typing import Any

import httpx
import pexpect
import pytest

from oxbot.adapters.postgres.engine import open_engine
from oxbot.adapters.postgres.user_admin import PostgresUserAdmin
from oxbot.cli import main
from oxbot.domain.errors import Conflict
from tests.api.conftest import PASSWORD, serving, signed_in
from tests.e2e.system_process import OXBOT

OTHER = "another way to go"


@dataclass(frozen=True)
class Users:
    """`oxbot users ... --json` in this process, against the record of a test."""

    patch: pytest.MonkeyPatch
    said: pytest.CaptureFixture[str]

    async def run(self, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
        self.patch.setattr(sys, "stdin", io.StringIO(stdin))
        self.said.readouterr()
        code = await asyncio.to_thread(main.run, ["users", *arguments, "--json"])
        return code, *self.said.readouterr()

    async def answer(self, *arguments: str, stdin: str = "") -> Any:  # noqa: ANN401 - JSON
        code, out, err = await self.run(*arguments, stdin=stdin)
        assert code == 0, err
        return json.loads(out)

    async def failure(self, *arguments: str, stdin: str = "") -> tuple[int, str]:
        code, out, err = await self.run(*arguments, stdin=stdin)
        assert out == ""
        return code, json.loads(err)["message"]


@pytest.fixture
def users(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Users:
    monkeypatch.setenv("DATABASE_URL", database_url)
    return Users(monkeypatch, capsys)


async def login(client: httpx.AsyncClient, name: str, password: str) -> int:
    asked = {"name": name, "password": password}
    return (await client.post("/login", json=asked)).status_code


async def test_the_first_administrator_is_made_without_the_network_and_registration_stays_closed(
    users: Users, nobodys: httpx.AsyncClient
) -> None:
    nobody = await users.answer("list")
    assert nobody == {"registration": True, "users": []}
    made = await users.answer("add", "Ann", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert (made["name"], made["is_admin"]) == ("ann", True)
    asked = {"name": "bob", "password": PASSWORD}
    assert (await nobodys.post("/register", json=asked)).status_code == 403
    second = await users.answer("add", "bob", "--password-stdin", stdin=PASSWORD)
    assert second["is_admin"] is False
    third = await users.answer("add", "eve", "--admin", "--password-stdin", stdin=PASSWORD)
    assert third["is_admin"] is True
    await signed_in(nobodys, "ann")
    assert (await nobodys.get("/me")).json()["is_admin"] is True
    listed = await users.answer("list")
    assert [(user["name"], user["logins"]) for user in listed["users"]] == [
        ("ann", 2),  # with the one for pages
        ("bob", 0),
        ("eve", 0),
    ]


async def test_a_changed_password_ends_the_logins_of_the_old_one(
    users: Users, api: httpx.AsyncClient
) -> None:
    assert (await api.get("/me")).status_code == 200
    await users.answer("password", "admin", "--password-stdin", stdin=OTHER)
    assert (await api.get("/me")).status_code == 401
    assert await login(api, "admin", PASSWORD) == 401
    assert await login(api, "admin", OTHER) == 200


async def test_all_logins_of_a_user_end_at_once_and_those_of_others_stand(
    users: Users, database_url: str, api: httpx.AsyncClient
) -> None:
    await users.answer("add", "bob", "--password-stdin", stdin=PASSWORD)
    async with serving(database_url, user=None) as bobs:
        await signed_in(bobs, "bob")
        assert (await users.answer("logout", "bob")) == {"name": "bob", "ended": 2}
        assert (await bobs.get("/me")).status_code == 401
        assert (await api.get("/me")).status_code == 200
        assert (await users.answer("logout", "bob"))["ended"] == 0


async def test_registration_is_opened_and_closed(users: Users, api: httpx.AsyncClient) -> None:
    asked = {"name": "bob", "password": PASSWORD}
    assert (await users.answer("open")) == {"registration": True}
    assert (await api.post("/register", json=asked)).status_code == 201
    assert (await users.answer("close")) == {"registration": False}
    assert (await api.post("/register", json={**asked, "name": "carl"})).status_code == 403


async def test_an_administrator_is_made_and_unmade_but_never_the_last_one(
    users: Users, api: httpx.AsyncClient
) -> None:
    await users.answer("add", "bob", "--password-stdin", stdin=PASSWORD)
    assert await users.failure("admin", "admin", "--revoke") == (
        4,
        "admin is the only administrator. Make another one first.",
    )
    assert (await users.answer("admin", "bob"))["is_admin"] is True
    assert (await users.answer("admin", "admin", "--revoke"))["is_admin"] is False
    assert (await api.get("/me")).json()["is_admin"] is False


async def test_of_two_administrators_who_unmake_each_other_at_once_one_stays(
    users: Users, database_url: str, api: httpx.AsyncClient
) -> None:
    del api  # has made the first one
    await users.answer("add", "bob", "--admin", "--password-stdin", stdin=PASSWORD)
    engines = [open_engine(database_url) for _ in range(2)]
    try:
        done = await asyncio.gather(
            *(
                PostgresUserAdmin(engine).set_admin(name, is_admin=False)
                for engine, name in zip(engines, ("admin", "bob"), strict=True)
            ),
            return_exceptions=True,
        )
    finally:
        for engine in engines:
            await engine.dispose()
    assert [type(one) for one in done].count(Conflict) == 1
    listed = await users.answer("list")
    assert sum(user["is_admin"] for user in listed["users"]) == 1


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "words"),
    [
        (("add", "x", "--password-stdin"), PASSWORD, 2, "2 to 60 letters"),
        (("add", "admin", "--password-stdin"), PASSWORD, 4, "a user admin already"),
        (("add", "bob", "--password-stdin"), "short", 2, "12 to 200 characters"),
        (("add", "bob", "--password-stdin"), "", 2, "12 to 200 characters"),
        (("add", "bob"), "", 2, "on stdin with --password-stdin"),
        (("password", "bob", "--password-stdin"), PASSWORD, 3, "no user bob"),
        (("logout", "bob"), "", 3, "no user bob"),
        (("admin", "bob"), "", 3, "no user bob"),
    ],
)
async def test_what_cannot_be_done_is_a_sentence_and_an_exit_code(
    users: Users,
    api: httpx.AsyncClient,
    arguments: tuple[str, ...],
    stdin: str,
    code: int,
    words: str,
) -> None:
    del api  # has made the first one
    got, message = await users.failure(*arguments, stdin=stdin)
    assert (got, words in message) == (code, True), message


async def test_on_a_terminal_the_password_is_asked_for_twice_and_not_shown(
    database_url: str, nobodys: httpx.AsyncClient
) -> None:
    shown = await asyncio.to_thread(asked_on_a_terminal, database_url)
    assert "User ann is made, an administrator." in shown
    assert PASSWORD not in shown
    assert await login(nobodys, "ann", PASSWORD) == 200


def asked_on_a_terminal(database: str) -> str:
    child = pexpect.spawn(
        OXBOT[0],
        [*OXBOT[1:], "users", "add", "ann"],
        env={**os.environ, "DATABASE_URL": database},
        encoding="utf-8",
        timeout=60,
    )
    seen = ""
    for question in ("Password", "The same again"):
        child.expect(question)
        seen += str(child.before) + str(child.after)
        child.expect(": ")
        child.sendline(PASSWORD)
    child.expect(pexpect.EOF)
    return seen + str(child.before)
