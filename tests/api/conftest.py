"""The API in this process, on a real PostgreSQL; Temporal is away unless a test brings it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from api.app import create_app
from oxbot.settings import Settings
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

NOWHERE = "127.0.0.1:9"
"""An address at which nobody listens."""


@asynccontextmanager
async def serving(database: str, **others: object) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application, for as long as the block runs."""
    given = {"redis_url": f"redis://{NOWHERE}", "temporal_address": NOWHERE, **others}
    app = create_app(Settings.model_validate({"database_url": database, **given}))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8020") as client,
    ):
        yield client


@pytest.fixture
async def api(database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(database_url, temporal_ui_url="http://127.0.0.1:8233") as client:
        yield client


@pytest.fixture
async def lonely_api() -> AsyncIterator[httpx.AsyncClient]:
    """An API whose servers are all away."""
    async with serving(f"postgresql://{NOWHERE}/oxbot") as client:
        yield client
