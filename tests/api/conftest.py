"""The API in this process, on a real PostgreSQL; Temporal is away unless a test brings it."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.sign_in import COOKIE
from oxbot.adapters.access import tokens
from oxbot.domain.users import Login, User, first_code
from oxbot.settings import Settings
from tests.support.api_server import Served, served
from tests.support.servers import (
    board,
    database_url,
    engine,
    postgres_url,
    redis_server_url,
    redis_url,
    server_home,
    store,
)

__all__ = [
    "board",
    "database_url",
    "engine",
    "postgres_url",
    "redis_server_url",
    "redis_url",
    "server_home",
    "store",
]

Json = dict[str, Any]  # Any: as JSON has it
NOWHERE = "127.0.0.1:9"
"""An address at which nobody listens."""

SECRET = "0123456789abcdefghijklmnopqrstuv-tests"  # noqa: S105 - as below
PASSWORD = "a long way to go"  # noqa: S105 - of nobody but tests


def settings_of(database: str, **others: object) -> Settings:
    """Settings of an API that is served alone."""
    nowhere = {"redis_url": f"redis://{NOWHERE}", "temporal_address": NOWHERE}
    given = {"database_url": database, **nowhere, "api_secret": SECRET, **others}
    return Settings.model_validate(given)


@asynccontextmanager
async def serving(
    database: str, *, user: str | None = "admin", **others: object
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application, for as long as the block runs; `user` is signed in.

    The first user of a database is its administrator, to whom all bots are shown.
    """
    app = create_app(settings_of(database, **others))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8020") as client,
    ):
        if user is not None:
            shown = {"name": user, "password": PASSWORD, "code": first_code(SECRET)}
            await client.post("/register", json=shown)
            await signed_in(client, user)
        yield client


async def signed_in(client: httpx.AsyncClient, name: str) -> Json:
    """Have somebody sign in, to whom the client belongs from then on; the tokens.

    It shows a cookie besides, by which pages know the same user.
    """
    asked = {"name": name, "password": PASSWORD}
    answer = await client.post("/login", json=asked)
    assert answer.status_code == 200, answer.text
    tokens: Json = answer.json()
    client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
    assert (await client.post("/sign-in", data=asked)).status_code == 303
    return tokens


@pytest.fixture(autouse=True)
def always_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Metrics and readiness serve for no time, so that a test sees what it has changed."""
    monkeypatch.setattr("api.app.FRESH_S", 0)


@pytest.fixture
async def api(database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(database_url, temporal_ui_url="http://127.0.0.1:8233") as client:
        yield client


@pytest.fixture
async def nobodys(database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of somebody who is not signed in; nobody has registered."""
    async with serving(database_url, user=None) as client:
        yield client


@pytest.fixture
async def lonely_api() -> AsyncIterator[httpx.AsyncClient]:
    """An API whose servers are all away, asked by somebody who had signed in before."""
    async with serving(f"postgresql://{NOWHERE}/oxbot", user=None) as client:
        client.headers["Authorization"] = f"Bearer {token()}"
        client.cookies.set(COOKIE, token(tokens.PAGES))
        yield client


def token(audience: str = tokens.API, *, secret: str = SECRET, now_ms: int | None = None) -> str:
    """A token of a login that nobody has."""
    user = User(id="u1", name="somebody", is_admin=True, created_ms=0)
    maker = tokens.JwtAccessTokens(secret, audience, tokens.ACCESS_S)
    made, _ = maker.made(Login(id="l1", user=user), now_ms or time.time_ns() // 10**6)
    return made


def bearer(shown: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {shown}"}


async def asked(client: httpx.AsyncClient, name: str, path: str = "/login") -> httpx.Response:
    return await client.post(path, json={"name": name, "password": PASSWORD})


@asynccontextmanager
async def client_of(api: Served, name: str = "admin") -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=api.url, timeout=60) as client:
        await client.post("/register", json={"name": name, "password": PASSWORD})
        await signed_in(client, name)
        yield client


@pytest.fixture
async def running_api(database_url: str) -> AsyncIterator[Served]:
    async with served(settings_of(database_url)) as running:
        yield running


@pytest.fixture
async def admin(running_api: Served) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(running_api) as client:
        yield client
