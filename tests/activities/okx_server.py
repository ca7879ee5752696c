"""A local OKX whose every answer a test can replace, and the simulator in this process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from oxbot.adapters.okx.client import OkxClient
from oxbot.domain.market import CANDLE_MS
from oxbot.simulator.options import Options, open_venue
from oxbot.simulator.server import create_app
from oxbot.simulator.venue import Venue

NOW_MS = 1_735_689_600_000
"""2025-01-01T00:00:00Z, where a candle ends."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Row = dict[str, object]


def instrument(inst_id: str = "BTC-USDT", **changes: object) -> Row:
    base, quote = inst_id.split("-")
    row: Row = {"instType": "SPOT", "instId": inst_id, "baseCcy": base, "quoteCcy": quote}
    row |= {"tickSz": "0.1", "lotSz": "0.00000001", "minSz": "0.00001", "state": "live"}
    return row | changes


def ticker(inst_id: str = "BTC-USDT", **changes: object) -> Row:
    row: Row = {"instType": "SPOT", "instId": inst_id, "ts": str(NOW_MS)}
    row |= {"bidPx": "94000.1", "askPx": "94000.2", "last": "94000.1", "vol24h": "1234.5"}
    return row | changes


def book(**changes: object) -> Row:
    """Two levels on each side: 0.5 and 2 coins."""
    row: Row = {"ts": str(NOW_MS)}
    row |= {"bids": [["94000.1", "0.5", "0", "1"], ["94000", "2", "0", "3"]]}
    row |= {"asks": [["94000.2", "0.5", "0", "1"], ["94000.3", "2", "0", "3"]]}
    return row | changes


def candle_row(open_ms: int, confirm: str = "1") -> list[object]:
    return [str(open_ms), "100", "110", "90", "105", "7.5", "7.5", "750", confirm]


def candle_rows(
    count: int, newest_ms: int | None = None, length_ms: int = CANDLE_MS
) -> list[list[object]]:
    """Newest first, as OKX sends them."""
    first_ms = NOW_MS - length_ms if newest_ms is None else newest_ms
    return [candle_row(first_ms - back * length_ms) for back in range(count)]


def funding(**changes: object) -> Row:
    row: Row = {"instType": "SWAP", "instId": "BTC-USDT-SWAP", "fundingRate": "-0.0000135"}
    row |= {"fundingTime": str(NOW_MS + 3_600_000), "nextFundingTime": str(NOW_MS + 32_400_000)}
    return row | changes


def open_interest(**changes: object) -> Row:
    row: Row = {"instType": "SWAP", "instId": "BTC-USDT-SWAP", "ts": str(NOW_MS)}
    row |= {"oi": "3000000", "oiCcy": "30000.25", "oiUsd": "2820000000"}
    return row | changes


def envelope(data: object, code: object = "0", msg: str = "") -> Handler:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"code": code, "msg": msg, "data": data})

    return answer


def text(body: str, status: int = 200, content_type: str = "text/html") -> Handler:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(text=body, status=status, content_type=content_type)

    return answer


async def silence(_: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


async def broken_off(request: web.Request) -> web.StreamResponse:
    """Announce 1000 bytes, send 13, hang up."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"code":"0","')
    assert request.transport is not None
    request.transport.close()
    return response


async def hung_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


@dataclass
class LocalOkx:
    """Answers as a healthy OKX with BTC and ETH, except where told otherwise."""

    url: str = ""
    paths: list[str] = field(default_factory=list)
    requests: list[web.Request] = field(default_factory=list)
    answers: dict[str, Handler] = field(
        default_factory=lambda: {
            "public/time": envelope([{"ts": str(NOW_MS)}]),
            "public/instruments": envelope([instrument(), instrument("ETH-USDT")]),
            "public/funding-rate": envelope([funding()]),
            "public/open-interest": envelope([open_interest()]),
            "market/tickers": envelope([ticker(), ticker("ETH-USDT")]),
            "market/books": envelope([book()]),
            "market/candles": envelope(candle_rows(300)),
            "market/history-candles": envelope([]),
        }
    )

    async def answer(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        self.paths.append(path)
        self.requests.append(request)
        await request.read()  # what was sent can be looked at afterwards, too
        return await self.answers[path](request)

    def asked(self, path: str) -> int:
        return self.paths.count(path)


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    """Serve on a free port of this machine; gives the address."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def local_okx() -> AsyncIterator[LocalOkx]:
    okx = LocalOkx()
    app = web.Application()
    app.router.add_route("*", "/api/v5/{path:.+}", okx.answer)
    async with serving(app) as url:
        okx.url = url
        yield okx


@asynccontextmanager
async def simulated(mode: str = "stepped") -> AsyncIterator[tuple[str, Venue]]:
    """The simulator with its generated market; gives the address and the venue."""
    venue = open_venue(Options(mode=mode))
    async with serving(create_app(venue)) as url:
        yield url, venue


@asynccontextmanager
async def connected(okx: LocalOkx, timeout_ms: int = 5_000) -> AsyncIterator[OkxClient]:
    async with OkxClient(okx.url, timeout_ms=timeout_ms, throttled=False) as client:
        yield client
