"""The WebSocket side on a real server, and a plain client that hears all there is."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import ClientWebSocketResponse, WSMsgType, web
from aiohttp.test_utils import TestClient, TestServer

from oxbot.simulator.clock import ClockChange
from oxbot.simulator.fault_rules import FaultRule
from oxbot.simulator.server import create_app
from oxbot.simulator.venue import Venue
from oxbot.simulator.ws import WEB_SOCKETS, WebSockets

Json = dict[str, object]


@dataclass
class Wall:
    """This machine's time, as the test says."""

    ms: int = 1_000_000

    def __call__(self) -> int:
        return self.ms


@dataclass
class Listener:
    """A client's end of one connection."""

    socket: ClientWebSocketResponse

    async def ask(self, op: str, *args: Json, **more: object) -> list[Json]:
        """Send a request; gives all that has come until now, answer included."""
        await self.socket.send_json({"op": op, "args": list(args), **more})
        return await self.heard()

    async def say(self, text: str) -> list[Json]:
        await self.socket.send_str(text)
        return await self.heard()

    async def heard(self) -> list[Json]:
        """All that was sent to this client before the server heard this ping."""
        await self.socket.send_str("ping")
        messages: list[Json] = []
        while (text := await self.socket.receive_str(timeout=10)) != "pong":
            messages.append(json.loads(text))
        return messages

    async def end(self) -> tuple[WSMsgType, int | None]:
        """How the connection ends; whatever comes before is skipped."""
        while (message := await self.socket.receive(timeout=10)).type is WSMsgType.TEXT:
            pass
        return message.type, self.socket.close_code


@dataclass
class Serving:
    """A server and what a test moves in it."""

    http: TestClient[web.Request, web.Application]
    sockets: WebSockets
    venue: Venue
    wall: Wall

    async def connect(self, address: str = "public") -> Listener:
        return Listener(await self.http.ws_connect(f"/ws/v5/{address}", autoping=False))

    def advance(self, ms: int) -> int:
        """Step the venue; gives its time, ms UTC."""
        return self.venue.clock.change(ClockChange(advance_ms=ms)).venue_ms

    def fault(self, **rule: object) -> None:
        self.venue.faults.add([FaultRule.model_validate(rule)], self.venue.clock.now())

    async def rows(self, path: str) -> list[Json]:
        """The data of an HTTP answer."""
        response = await self.http.get(f"/api/v5/{path}")
        content: dict[str, list[Json]] = await response.json()
        return content["data"]


@asynccontextmanager
async def serving(venue: Venue, wall: Wall | None = None) -> AsyncIterator[Serving]:
    """The venue on a free port."""
    wall = wall or Wall()
    app = create_app(venue, wall)
    async with TestClient(TestServer(app)) as http:
        yield Serving(http, app[WEB_SOCKETS], venue, wall)


def data_of(message: Json) -> list[Json]:
    """The rows of a push."""
    rows = message["data"]
    assert isinstance(rows, list)
    return rows


def topic(channel: str, inst_id: str = "BTC-USDT") -> Json:
    return {"channel": channel, "instId": inst_id}
