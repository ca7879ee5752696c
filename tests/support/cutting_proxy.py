"""A way to a server that breaks behind a request: passed on, and never answered."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

PIECE = 65_536


class CuttingProxy:
    """Passes bytes on, until some that are sent through it have `mark` in them.

    These it still passes on. Then the client's connections are closed and no new one is taken;
    those to the server stay open, so that it serves what it was sent.
    """

    def __init__(self, server: str, mark: bytes) -> None:
        self._host, _, port = server.partition(":")
        self._port = int(port)
        self._mark = mark
        self._clients: list[asyncio.StreamWriter] = []
        self._servers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening: asyncio.Server | None = None
        self.passed = False

    async def open(self) -> str:
        """Listen; gives where."""
        self._listening = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = self._listening.sockets[0].getsockname()
        return f"{host}:{port}"

    def cut(self) -> None:
        """Close the connections of clients, and take no other."""
        if self._listening is not None:
            self._listening.close()
        for client in self._clients:
            client.transport.abort()

    async def close(self) -> None:
        """End all of it."""
        self.cut()
        for server in self._servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection(self._host, self._port)
        self._clients.append(writer)
        self._servers.append(to_server)
        for way in (self._ask(reader, to_server), self._answer(from_server, writer)):
            self._tasks.add(asyncio.create_task(way))

    async def _ask(self, reader: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
        seen = b""
        with suppress(OSError):
            while piece := await reader.read(PIECE):
                seen = (seen + piece)[-2 * PIECE :]
                server.write(piece)
                await server.drain()
                if self._mark in seen:
                    self.passed = True
                    self.cut()

    async def _answer(self, server: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await server.read(PIECE):
                client.write(piece)
                await client.drain()


@asynccontextmanager
async def cutting(server: str, mark: bytes) -> AsyncIterator[tuple[CuttingProxy, str]]:
    """Hold a proxy, and its address."""
    proxy = CuttingProxy(server, mark)
    try:
        yield proxy, await proxy.open()
    finally:
        await proxy.close()
