"""One connection: what waits to be sent to it, and how it ends.

Nobody waits for a slow reader: messages wait in a bounded outbox, and the connection is cut
when that is full.
"""

import asyncio
import secrets
import socket
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, NamedTuple

from aiohttp import web

LONGEST_OUTBOX = 4 * 1024 * 1024
"""Characters that may wait for one connection."""

CORK: Final[int | None] = getattr(socket, "TCP_CORK", None)
"""Linux's option that holds small packets back; others have none, or one of another meaning."""

CLOSE_S = 1
"""How long the other side may take to answer a close frame, in seconds."""


class Closing(NamedTuple):
    """The last thing that is sent: a close frame's code and reason."""

    code: int
    reason: str


class Client:
    """A connected client.

    Args:
        socket: Its prepared WebSocket.
        transport: The connection below, to cut it without a word.
        wall_ms: This machine's time, ms.
        drops: How many drops there had been when it connected.

    Attributes:
        id: OKX's connId.
        active_ms: When something was said last, by it or to it; this machine's time, ms.
        drops: As above.
    """

    def __init__(
        self,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport,
        wall_ms: int,
        drops: int,
    ) -> None:
        self.id = secrets.token_hex(4)
        self.active_ms = wall_ms
        self.drops = drops
        self._socket = socket
        self._transport = transport
        self._outbox: deque[str | Closing] = deque()
        self._filled = asyncio.Event()
        self._waiting = 0
        self._ending = False
        self._sender = asyncio.create_task(self._send_what_comes())

    @property
    def waiting(self) -> int:
        """Characters in the outbox."""
        return self._waiting

    def send(self, text: str) -> None:
        """Put a message into the outbox; a client that does not read is cut."""
        if self._ending:
            return
        if self._waiting + len(text) > LONGEST_OUTBOX:
            self.cut()
            return
        self._waiting += len(text)
        self._outbox.append(text)
        self._filled.set()

    def close(self, code: int, reason: str) -> None:
        """Close the connection after what waits has been sent."""
        if not self._ending:
            self._ending = True
            self._outbox.append(Closing(code, reason))
            self._filled.set()

    def cut(self) -> None:
        """End the connection at once, without a close frame; what waits is lost."""
        self._ending = True
        self._outbox.clear()
        self._waiting = 0
        self._sender.cancel()
        self._transport.abort()

    async def finish(self) -> None:
        """Let the sender end, after the close frame if there is one to send."""
        try:
            await asyncio.wait([self._sender], timeout=CLOSE_S if self._ending else 0)
        finally:
            self._sender.cancel()
        await asyncio.wait([self._sender])

    async def _send_what_comes(self) -> None:
        """Send what comes into the outbox, until the close frame or the connection's end."""
        with suppress(ConnectionError):
            while True:
                await self._filled.wait()
                self._filled.clear()
                with _in_one_packet(self._transport):
                    ending = await self._send_what_waits()
                if ending:
                    await self._socket.close(code=ending.code, message=ending.reason.encode())
                    return

    async def _send_what_waits(self) -> Closing | None:
        """Send the messages in the outbox; give the close frame that they lead up to, if any."""
        while self._outbox:
            item = self._outbox.popleft()
            if isinstance(item, Closing):
                return item
            self._waiting -= len(item)
            await self._socket.send_str(item)
        return None


@contextmanager
def _in_one_packet(transport: asyncio.Transport) -> Iterator[None]:
    """Let what is written leave together, so that its reader wakes once; where the system can."""
    connection = transport.get_extra_info("socket")
    if CORK is None or connection is None or transport.is_closing():
        yield
        return
    connection.setsockopt(socket.IPPROTO_TCP, CORK, 1)
    try:
        yield
    finally:
        if not transport.is_closing():
            connection.setsockopt(socket.IPPROTO_TCP, CORK, 0)
