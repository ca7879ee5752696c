"""A local OKX stream of which a test says what is pushed, and when."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal

from aiohttp import web

from oxbot.adapters.okx.stream import OkxStream
from oxbot.domain.market import ClockReading, Quote
from tests.activities.okx_server import NOW_MS, Row, serving

BOTH = ("BTC/USDT", "ETH/USDT")
NOW = ClockReading(venue_ms=NOW_MS, wall_ms=1_000, rate=Decimal(30))


@dataclass
class LocalStream:
    """OKX's `tickers` channel with BTC and ETH; a test says what is pushed, and when."""

    url: str = ""
    pongs: bool = True
    confirms: bool = True
    pings: int = 0
    listed: set[str] = field(default_factory=lambda: {"BTC-USDT", "ETH-USDT"})
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        async for message in socket:
            await self._hear(socket, str(message.data))
            self.news.set()
        self.sockets.remove(socket)
        self.news.set()
        return socket

    async def _hear(self, socket: web.WebSocketResponse, text: str) -> None:
        if text == "ping":
            self.pings += 1
            if self.pongs:
                await socket.send_str("pong")
            return
        for argument in json.loads(text)["args"] if self.confirms else ():
            await socket.send_json(self._answered(argument))

    def _answered(self, argument: Row) -> Row:
        if argument["instId"] in self.listed:
            return {"event": "subscribe", "arg": argument, "connId": "a1"}
        said = f"Wrong URL or channel:tickers,instId:{argument['instId']} doesn't exist."
        return {"event": "error", "code": "60018", "msg": said, "connId": "a1"}

    async def push(self, *rows: Row) -> None:
        for row in rows:
            argument = {"channel": "tickers", "instId": row["instId"]}
            await self.send(json.dumps({"arg": argument, "data": [row]}))

    async def send(self, data: str | bytes) -> None:
        for socket in self.sockets:
            await (socket.send_bytes(data) if isinstance(data, bytes) else socket.send_str(data))

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self.news.clear()
            await self.news.wait()


@asynccontextmanager
async def local_stream() -> AsyncIterator[LocalStream]:
    stream = LocalStream()
    app = web.Application()
    app.router.add_get("/ws/v5/public", stream.answer)
    async with serving(app) as url:
        stream.url = f"{url.replace('http', 'ws')}/ws/v5"
        yield stream


async def clock() -> ClockReading:
    return NOW


@asynccontextmanager
async def streaming(
    okx: LocalStream, *symbols: str, keep_alive_ms: int = 5_000
) -> AsyncIterator[tuple[AsyncGenerator[list[Quote]], asyncio.Task[list[Quote]]]]:
    """A subscribed stream, and its first batch as a task that waits for it."""
    stream = OkxStream(okx.url, keep_alive_ms=keep_alive_ms, wall_ms=lambda: 1_002)
    async with aclosing(stream.quotes(symbols or BOTH, clock)) as batches:
        first = asyncio.ensure_future(anext(batches))
        await okx.until(lambda: bool(okx.sockets))
        await asyncio.sleep(0)
        yield batches, first
