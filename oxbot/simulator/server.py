"""The server, HTTP and WebSocket: on 127.0.0.1 only, until SIGINT or SIGTERM."""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from oxbot.domain.errors import OxbotError
from oxbot.loopback import HOST, serve
from oxbot.simulator.control import Control
from oxbot.simulator.fault_answers import strike_with
from oxbot.simulator.fault_control import FaultControl
from oxbot.simulator.okx import API, OkxApi, OkxError, refusal
from oxbot.simulator.okx_swaps import SwapApi
from oxbot.simulator.options import Options, open_venue
from oxbot.simulator.private.account_api import AccountApi
from oxbot.simulator.private.algo_api import AlgoApi
from oxbot.simulator.private.control import AccountControl
from oxbot.simulator.private.desk import Desk
from oxbot.simulator.private.trade_api import TradeApi
from oxbot.simulator.venue import Venue
from oxbot.simulator.venue_time import iso
from oxbot.simulator.ws import WebSockets, monotonic_ms

LARGEST_BODY = 16 * 2**20
"""Bytes in a request: room for as many conditions as a clock takes."""

logger = logging.getLogger(__name__)


def create_app(venue: Venue, wall: Callable[[], int] = monotonic_ms) -> web.Application:
    """The server's application: OKX's two sides and the control side of one venue.

    Args:
        venue: What to serve.
        wall: This machine's time in ms, by which the WebSocket side waits.
    """
    guards = [_logged, _limited(venue), strike_with(venue), _explained]
    app = web.Application(middlewares=guards, client_max_size=LARGEST_BODY)
    desk = Desk(venue)
    for public in (OkxApi(venue), SwapApi(venue), Control(venue), FaultControl(venue)):
        app.add_routes(public.routes())
    for private in (AccountApi(desk), TradeApi(desk), AlgoApi(desk), AccountControl(desk)):
        app.add_routes(private.routes())
    WebSockets(desk, wall).join(app)
    return app


def run(options: Options) -> int:
    """Serve until a signal comes.

    Returns:
        The exit code: 0 after a signal, 1 with one sentence on stderr if it cannot serve,
        130 if it was interrupted before it could listen.
    """
    try:
        asyncio.run(_serve(options, open_venue(options)))
    except OxbotError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


@web.middleware
async def _logged(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Log requests at debug."""
    response = await handler(request)
    logger.debug("%s %s %s", request.method, request.path_qs, response.status)
    return response


def _limited(venue: Venue) -> Middleware:
    """Refuse requests that come too soon, where the venue has limits."""

    @web.middleware
    async def limited(request: web.Request, handler: Handler) -> web.StreamResponse:
        if venue.limits is None or not request.path.startswith(API):
            return await handler(request)
        path = request.path.removeprefix(API)
        endpoint = path if request.method == "GET" else f"{request.method} {path}"
        client = request.headers.get("OK-ACCESS-KEY") or request.remote or ""
        code = venue.limits.refuses(client, endpoint)
        return await handler(request) if code is None else refusal(code, "Too Many Requests", 429)

    return limited


@web.middleware
async def _explained(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn refusals into OKX's answers."""
    try:
        return await handler(request)
    except OkxError as error:
        return refusal(error.code, str(error), error.status)
    except web.HTTPNotFound:
        return refusal("404", "Not Found", 404)
    except web.HTTPMethodNotAllowed:
        return refusal("50115", "Invalid request method.", 405)


async def _serve(options: Options, venue: Venue) -> None:
    """Listen, say so, and keep the venue's time when the signal comes."""

    def greeting(port: int) -> str:
        venue.keep()
        return _greeting(venue, port, as_json=options.json)

    await serve(
        create_app(venue),
        options.port,
        who="The simulator",
        variable="OXBOT_SIMULATOR_PORT",
        greeting=greeting,
        ending=venue.keep,
    )


def _greeting(venue: Venue, port: int, *, as_json: bool) -> str:
    """One line that says where it listens, what it serves and how to use it."""
    reading = venue.clock.read()
    url = f"http://{HOST}:{port}"
    if as_json:
        facts = {
            "url": url,
            "port": port,
            "pid": os.getpid(),
            "mode": reading.mode,
            "rate": str(reading.rate),
            "venue_ms": reading.venue_ms,
            "market": reading.market,
        }
        return f"{json.dumps(facts)}\n"
    pace = f"{reading.rate} x" if reading.rate else str(reading.mode)
    return (
        f"Simulated OKX on {url} ({reading.market}; {iso(reading.venue_ms)}, {pace}); point ccxt "
        f'at it: okx({{"urls": {{"api": {{"rest": "{url}", "ws": "ws{url[4:]}/ws/v5"}}}}}})\n'
    )
