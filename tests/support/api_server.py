"""The API on a port of this machine, in the test's own event loop."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import uvicorn

from api.__main__ import Server
from api.app import create_app
from oxbot.settings import Settings
from tests.support.ports import free_port

STARTS_WITHIN_S = 60


@dataclass
class Served:
    """A running API: its server, and where it is."""

    server: Server
    url: str


@asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[Served]:
    """Serve until the end of the block."""
    port = free_port()
    app = create_app(settings)
    config = uvicorn.Config(
        app, port=port, access_log=False, log_config=None, timeout_graceful_shutdown=3
    )
    server = Server(config, app)
    serving = asyncio.create_task(server._serve())  # without its own handling of signals
    try:
        async with asyncio.timeout(STARTS_WITHIN_S):
            while not server.started:
                assert not serving.done(), "the server has not started"
                await asyncio.sleep(0.01)
        yield Served(server, f"http://127.0.0.1:{port}")
    finally:
        server.should_exit = True
        await serving


@dataclass
class Heard:
    """One piece of a stream of events."""

    id: str | None = None
    event: str | None = None
    comment: str | None = None
    data: dict[str, Any] = field(default_factory=dict)  # Any: as JSON has it


@asynccontextmanager
async def listening(
    client: httpx.AsyncClient, path: str = "/events", since: str | None = None
) -> AsyncIterator[AsyncIterator[Heard]]:
    """Hold a stream of events that has answered with 200."""
    headers = {} if since is None else {"Last-Event-ID": since}
    async with client.stream("GET", path, headers=headers, timeout=60) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _pieces(answer)


async def _pieces(answer: httpx.Response) -> AsyncIterator[Heard]:
    heard = Heard()
    async for line in answer.aiter_lines():
        if not line:
            yield heard
            heard = Heard()
            continue
        name, _, value = line.partition(": ")
        if name == "data":
            heard.data = json.loads(value)
        else:
            setattr(heard, name or "comment", value)


async def events_of(pieces: AsyncIterator[Heard], count: int) -> list[Heard]:
    """The next so many bots' events of a stream."""
    found: list[Heard] = []
    async with asyncio.timeout(60):
        async for piece in pieces:
            if piece.data:
                found.append(piece)
            if len(found) == count:
                break
    return found
