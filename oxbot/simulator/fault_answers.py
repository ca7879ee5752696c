"""What a client sees of a fault: one middleware before OKX's public side.

A rule is asked once for each request; see `Faults.on_request`.
"""

import asyncio
import json
import socket
import struct
from decimal import Decimal
from hashlib import blake2b

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from oxbot.simulator.fault_rules import ON_ORDERS, ON_THE_WAY, FaultKind, FaultRule
from oxbot.simulator.okx import API, NOW_MS, envelope, refusal
from oxbot.simulator.private.calls import DEALING
from oxbot.simulator.private.deals import Dealing
from oxbot.simulator.venue import Venue

Json = dict[str, "Json"] | list["Json"] | str | None

OF_THE_TRUTH = (
    FaultKind.SLOW,
    FaultKind.TRUNCATED,
    FaultKind.NULLS,
    FaultKind.STALE,
    FaultKind.CLOCK_SKEW,
    *ON_ORDERS,
)
"""The kinds that change the true answer; the others do without it."""

KEY = "OK-ACCESS-KEY"
"""The header that names who has signed a request."""

LONGEST_HOLD_S = 60.0
"""So long a connection is held that never gets its answer."""

LOOKS_EVERY_S = 0.05
"""Between two looks whether the client has left, in seconds of wall time."""

PAGE = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>\n"

MESSAGES: dict[str, tuple[int, str]] = {
    "50001": (503, "Service temporarily unavailable. Please try again later."),
    "50004": (400, "API endpoint request timeout."),
    "50011": (429, "Too Many Requests"),
    "50013": (429, "Systems are busy. Please try again later."),
    "50026": (500, "System error. Please try again later."),
    "50061": (429, "Too Many Requests"),
    "50102": (401, "Timestamp request expired."),
    "51001": (200, "Instrument ID does not exist."),
}
"""HTTP status and message that OKX sends with a code; any other comes with 400."""


def strike_with(venue: Venue) -> Middleware:
    """The middleware for a venue's faults."""

    @web.middleware
    async def struck(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith(API):
            return await handler(request)
        endpoint, now_ms = request.path.removeprefix(API), venue.clock.now()
        asked, key = await _asked(request), request.headers.get(KEY, "")
        rule = venue.faults.on_request(endpoint, asked, now_ms, request.method, key)
        if rule is None:
            return await handler(request)
        if rule.kind is FaultKind.STALE:
            request[NOW_MS] = venue.faults.stale_ms(rule)
        elif rule.kind is FaultKind.CLOCK_SKEW:
            request[NOW_MS] = now_ms + (rule.skew_ms or 0)
        elif rule.kind in ON_ORDERS:
            request[DEALING] = _dealing(rule)
        return await _answer(rule, request, handler)

    return struck


async def _asked(request: web.Request) -> str:
    """What a request asks, apart from when: query, body, and who signed it."""
    key = request.headers.get(KEY, "")
    if request.method == "GET":
        return f"{request.query_string}&{key}" if key else request.query_string
    body = blake2b(await request.read(), digest_size=16).hexdigest()
    return f"{request.query_string}&{key}&{body}"


def _dealing(rule: FaultRule) -> Dealing:
    """What a fault does to orders that are placed."""
    return Dealing(
        hidden_ms=rule.hidden_ms or 0,
        refuse_protection=rule.kind is FaultKind.STOP_REJECTED,
        share=Decimal(rule.share or 1),
        wrong_mode=rule.kind is FaultKind.WRONG_MODE,
    )


async def _answer(rule: FaultRule, request: web.Request, handler: Handler) -> web.StreamResponse:
    """The answer under a fault, made of the true one where the kind needs it."""
    if rule.kind is FaultKind.SLOW and not rule.after:
        await asyncio.sleep((rule.delay_ms or 0) / 1000)
    taken = rule.after or rule.kind not in ON_THE_WAY or rule.kind is FaultKind.SLOW
    true = await handler(request) if taken else envelope([])
    if rule.kind is FaultKind.TIMEOUT:
        await _client_left(request)
    if rule.kind in (FaultKind.TIMEOUT, FaultKind.RESET):
        return _reset(request)
    if rule.kind in OF_THE_TRUTH:
        return await _spoiled(rule, request, true)
    return _instead(rule)


async def _spoiled(
    rule: FaultRule, request: web.Request, true: web.StreamResponse
) -> web.StreamResponse:
    """What is left of the true answer."""
    if rule.kind is FaultKind.SLOW and rule.after:
        await asyncio.sleep((rule.delay_ms or 0) / 1000)
    if rule.kind is FaultKind.TRUNCATED:
        return await _cut(request, true)
    if rule.kind is FaultKind.NULLS:
        return _thinned(true, f"{rule.seed}:{rule.id}:{request.path_qs}")
    if rule.kind is FaultKind.DUPLICATE_ACK:
        return _duplicate(true)
    return true


def _instead(rule: FaultRule) -> web.Response:
    """An answer that has nothing to do with the question."""
    if rule.kind is FaultKind.HTML:
        return web.Response(text=PAGE.format("OKX"), content_type="text/html")
    if rule.kind is FaultKind.HTTP_502:
        return web.Response(
            text=PAGE.format("502 Bad Gateway"), content_type="text/html", status=502
        )
    if rule.kind is FaultKind.HTTP_429:
        return web.Response(text="Too Many Requests\n", status=429)
    if rule.kind is FaultKind.EMPTY:
        return envelope([])
    code = "50001" if rule.kind is FaultKind.MAINTENANCE else rule.code or ""
    status, message = MESSAGES.get(code, (400, "The request failed."))
    return refusal(code, message, status)


async def _client_left(request: web.Request) -> None:
    """Wait until the client has left, or long enough."""
    loop = asyncio.get_running_loop()
    until = loop.time() + LONGEST_HOLD_S
    # aiohttp tells a handler by nothing but the missing transport that its client has left.
    while request.transport is not None and loop.time() < until:  # noqa: ASYNC110
        await asyncio.sleep(LOOKS_EVERY_S)


def _reset(request: web.Request) -> web.Response:
    """Reset the connection; the response that is returned reaches nobody."""
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()


async def _cut(request: web.Request, whole: web.StreamResponse) -> web.StreamResponse:
    """Announce the whole body, send half of it, and hang up."""
    body = _body(whole)
    headers = {"Content-Length": str(len(body)), "Content-Type": "application/json"}
    response = web.StreamResponse(status=whole.status, headers=headers)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


def _thinned(whole: web.StreamResponse, seed: str) -> web.Response:
    """The true answer with about half of the fields of each row missing, "" or null."""
    content = json.loads(_body(whole))
    content["data"] = [_thin(row, f"{seed}:{place}") for place, row in enumerate(content["data"])]
    return web.json_response(content, status=whole.status)


def _duplicate(whole: web.StreamResponse) -> web.Response:
    """The true answer to orders that were taken, saying that they had been before."""
    content = json.loads(_body(whole))
    for row in content["data"]:
        for name in ("ordId", "algoId"):
            row.update({name: ""} if name in row else {})
        row.update(sCode="51016", sMsg="Client order ID already exists.")
    return web.json_response({**content, "code": "1", "msg": "All operations failed"})


def _thin(row: Json, seed: str) -> Json:
    """One row; what is lost is a hash, the same for the same question."""
    if isinstance(row, dict):
        kept = {name: _damaged(cell, f"{seed}:{name}") for name, cell in row.items()}
        return {name: kept[name] for name in kept if _draw(f"{seed}:{name}:gone") % 4}
    if isinstance(row, list):
        kept_cells = [_damaged(cell, f"{seed}:{place}") for place, cell in enumerate(row)]
        return kept_cells[: len(row) - _draw(seed) % 2]
    return None


def _damaged(cell: Json, seed: str) -> Json:
    """A cell: two in three as it was, else "" or null."""
    return (cell, cell, cell, cell, "", None)[_draw(seed) % 6]


def _draw(seed: str) -> int:
    return int.from_bytes(blake2b(seed.encode(), digest_size=4).digest(), "big")


def _body(whole: web.StreamResponse) -> bytes:
    """The body of an answer that one of this server's handlers made."""
    if not isinstance(whole, web.Response) or not isinstance(whole.body, bytes):
        raise TypeError("Answers of the public side have their body in one piece.")
    return whole.body
