"""OKX v5 over WebSocket: /ws/v5/public, /ws/v5/business and /ws/v5/private."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

from aiohttp import WSMsgType, web

from oxbot.simulator.fault_rules import FaultKind
from oxbot.simulator.private.desk import Desk
from oxbot.simulator.private.pushes import PRIVATE, PrivateHub
from oxbot.simulator.ws_channels import BUSINESS, PUBLIC
from oxbot.simulator.ws_client import CLOSE_S, Client
from oxbot.simulator.ws_hub import Hub
from oxbot.simulator.ws_limits import Window
from oxbot.simulator.ws_messages import (
    LONGEST_REQUEST,
    Arg,
    Request,
    WsError,
    acknowledged,
    parse_request,
    refused,
)

CONNECTIONS, CONNECTIONS_MS = 3, 1000
"""Connections that one client address may open within so many ms."""

REQUESTS, REQUESTS_MS = 480, 3_600_000
"""Requests that one connection may send within so many ms; a ping is none."""


def monotonic_ms() -> int:
    """This machine's time since some moment, in ms."""
    return time.monotonic_ns() // 1_000_000


class WebSockets:
    """The WebSocket side of a venue.

    Args:
        desk: What to serve.
        wall: This machine's time in ms; tests bring their own.
    """

    def __init__(self, desk: Desk, wall: Callable[[], int] = monotonic_ms) -> None:
        self.hub = Hub(desk.venue, wall, desk.look)
        self.private = PrivateHub(desk, wall)
        self._venue = desk.venue
        self._wall = wall
        self._connections: dict[str, Window] = {}

    def join(self, app: web.Application) -> None:
        """Serve the paths under /ws/v5 as part of an application."""
        app[WEB_SOCKETS] = self
        app.router.add_get("/ws/v5/public", self.public)
        app.router.add_get("/ws/v5/business", self.business)
        app.router.add_get("/ws/v5/private", self.account)
        app.cleanup_ctx.append(self._beating)
        app.on_shutdown.append(self._goodbye)

    async def public(self, request: web.Request) -> web.WebSocketResponse:
        """Tickers, books and instruments."""
        return await self._serve(request, PUBLIC)

    async def business(self, request: web.Request) -> web.WebSocketResponse:
        """Candles, and an account's algo orders."""
        return await self._serve(request, BUSINESS)

    async def account(self, request: web.Request) -> web.WebSocketResponse:
        """An account's balances and orders."""
        return await self._serve(request, PRIVATE)

    async def _beating(self, _: web.Application) -> AsyncIterator[None]:
        """The hub's life within the application's."""
        self._venue.clock.changed.append(self.hub.stepped)
        beats = asyncio.create_task(self.hub.run())
        yield
        self._venue.clock.changed.remove(self.hub.stepped)
        beats.cancel()
        await asyncio.wait([beats])

    async def _goodbye(self, _: web.Application) -> None:
        """Close what is open when the server shuts down."""
        for client in self.hub.clients:
            client.close(1001, "The simulator stops.")

    async def _serve(self, request: web.Request, address: str) -> web.WebSocketResponse:
        """One connection from its beginning to its end."""
        self._admit(request)
        # On loopback compression would cost time and save nothing.
        socket = web.WebSocketResponse(
            timeout=CLOSE_S, compress=False, max_msg_size=LONGEST_REQUEST
        )
        await socket.prepare(request)
        drops = self._venue.faults.ws_drops_until(self._venue.clock.now())
        client = Client(socket, _transport(request), self._wall(), drops)
        self.hub.clients.add(client)
        try:
            await self._listen(socket, client, address)
        finally:
            self.hub.leave(client)
            self.private.leave(client)
            await client.finish()
        return socket

    def _admit(self, request: web.Request) -> None:
        """Turn away who may not connect now.

        Raises:
            HTTPServiceUnavailable: Maintenance, a drop that lasts (which hangs up, too), or
                nothing is pushed any more.
            HTTPTooManyRequests: The address has opened too many connections in a second.
        """
        if self.hub.failed:
            raise web.HTTPServiceUnavailable(text="The WebSocket side has failed; see the log.")
        rule = self._venue.faults.ws(self._venue.clock.now())
        if rule is not None and rule.kind is not FaultKind.WS_STALL:
            if rule.kind is FaultKind.WS_DROP:
                _transport(request).abort()
            raise web.HTTPServiceUnavailable(text="Service temporarily unavailable.")
        if self._venue.limits and not self._connections_of(request.remote).allows(self._wall()):
            raise web.HTTPTooManyRequests(text="Too many connections in a second.")

    def _connections_of(self, address: str | None) -> Window:
        """The connections of a client address; addresses that have been quiet are forgotten."""
        wall, name = self._wall(), address or ""
        for known in [one for one, window in self._connections.items() if window.idle(wall)]:
            del self._connections[known]
        return self._connections.setdefault(name, Window(CONNECTIONS, CONNECTIONS_MS))

    async def _listen(self, socket: web.WebSocketResponse, client: Client, address: str) -> None:
        """Answer what the client says, until it is gone."""
        window = Window(REQUESTS, REQUESTS_MS)
        async for message in socket:
            client.active_ms = self._wall()
            if message.data == "ping":
                client.send("pong")
                continue
            text = message.data if message.type is WSMsgType.TEXT else ""
            try:
                self._do(client, address, parse_request(text), window)
            except WsError as error:
                client.send(refused(error, client.id))

    def _do(self, client: Client, address: str, request: Request, window: Window) -> None:
        """Do each arg of a request; one that cannot be done does not hinder the others."""
        if self._venue.limits and not window.allows(self._wall()):
            raise WsError("60014", "Requests too frequent", request.request_id)
        if request.op == "login":
            if address == PUBLIC:
                raise WsError("60009", "Login failed.", request.request_id)
            self.private.login(client, request)
            return
        for arg in request.args:
            try:
                self._do_one(client, address, request, arg)
            except WsError as error:
                client.send(refused(error, client.id, request.request_id))

    def _do_one(self, client: Client, address: str, request: Request, arg: Arg) -> None:
        if self.private.has(address, arg):
            self.private.do(client, request, arg)
            return
        topic = self.hub.channels.topic(address, arg)
        client.send(acknowledged(request.op, arg, client.id, request.request_id))
        if request.op == "subscribe":
            self.hub.subscribe(client, topic)
        else:
            self.hub.unsubscribe(client, topic)


WEB_SOCKETS = web.AppKey("oxbot_web_sockets", WebSockets)
"""Where an application has its WebSocket side."""


def _transport(request: web.Request) -> asyncio.Transport:
    """The connection below a request.

    Raises:
        HTTPServiceUnavailable: It is gone already.
    """
    if not isinstance(request.transport, asyncio.Transport):
        raise web.HTTPServiceUnavailable
    return request.transport
