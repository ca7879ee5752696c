"""One WebSocket connection to OKX, whatever it carries: messages in, or a failure.

ccxt.pro connects, pings, notices a missing pong and closes. Its handling of messages is
replaced: it would turn prices into floats, and a message that it cannot read stops its
receiving for good without a word.
"""

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol, cast

from oxbot.adapters.okx.place import Exchange
from oxbot.adapters.okx.stream_errors import lost
from oxbot.domain.errors import OxbotError, VenueUnavailable

CLOSE_S: Final = 1
"""Seconds to wait for the other side's goodbye."""


class _Client(Protocol):
    """The part of ccxt's WebSocket client that is used; ccxt itself comes without types."""

    handle_text_or_binary_message: Callable[[str | bytes], None]
    lastPong: int  # noqa: N815 - ccxt's name

    async def send(self, message: object) -> None: ...

    async def close(self) -> None: ...


class _Exchange(Protocol):
    """The part of ccxt.pro's exchange that is used."""

    def client(self, url: str) -> _Client: ...

    def watch(
        self, url: str, message_hash: str, message: object, subscribe_hash: str
    ) -> "asyncio.Future[object]": ...

    def milliseconds(self) -> int: ...

    async def close(self) -> None: ...


class Connection(ABC):
    """A connection that is opened by its first request.

    `take` is what a subclass does with a message; it must not raise, since ccxt would stop
    receiving, silently.

    Args:
        exchange: ccxt.pro's, of which nothing but the connection is used.
        url: Where it leads.
        timeout_ms: How long it may take until what is waited for has come.
    """

    def __init__(self, exchange: Exchange, url: str, timeout_ms: int) -> None:
        self.url = url
        self._exchange = cast("_Exchange", exchange)
        self._client: _Client | None = None
        self._timeout_ms = timeout_ms
        self._failure: OxbotError | None = None
        self._closed = False
        self._news = asyncio.Event()

    @abstractmethod
    def take(self, message: object, text: str) -> None:
        """Take a message: as JSON, None where it is none, and as it came."""

    def begin(self, request: object, name: str) -> None:
        """Connect, and send the first request."""
        self._client = self._exchange.client(self.url)
        self._client.handle_text_or_binary_message = self._receive
        # Nothing ever resolves this future; whatever ends the connection rejects it.
        self._exchange.watch(self.url, "lost", request, name).add_done_callback(self._end)

    async def send(self, request: object) -> None:
        """Send another request."""
        if self._client is not None:
            await self._client.send(request)

    async def until(self, holds: Callable[[], bool], missing: str) -> None:
        """Wait until something holds.

        Raises:
            OxbotError: The connection has failed.
            VenueUnavailable: It took too long; `missing` says what did not come.
        """
        try:
            async with asyncio.timeout(self._timeout_ms / 1_000):
                while not self._holds(holds):
                    await self.next_news()
        except TimeoutError:
            raise VenueUnavailable(
                f"OKX's stream at {self.url} {missing} within {self._timeout_ms} ms."
            ) from None

    def _holds(self, holds: Callable[[], bool]) -> bool:
        self.raise_failure()
        return holds()

    async def close(self) -> None:
        """Close the connection; it cannot be opened again."""
        self._closed = True
        self._news.set()
        if self._client is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_S):
                    await self._client.close()
        await self._exchange.close()

    @property
    def closed(self) -> bool:
        """Whether this side has closed it."""
        return self._closed

    def raise_failure(self) -> None:
        """Raise what ended the connection, if anything has."""
        if self._failure is not None:
            raise self._failure

    async def next_news(self) -> None:
        """Wait until something has come, or failed."""
        self._news.clear()
        await self._news.wait()

    def has_news(self) -> None:
        """Wake who waits."""
        self._news.set()

    def fail(self, error: OxbotError) -> None:
        """Keep the first failure; those after it come of it."""
        self._failure = self._failure or error
        self._news.set()

    def _end(self, ended: "asyncio.Future[object]") -> None:
        """Take the reason for which ccxt gave the connection up."""
        error = None if ended.cancelled() else ended.exception()
        self.fail(lost(self.url, error))

    def _receive(self, data: str | bytes) -> None:
        """Take one message. Nothing may be raised here: ccxt would stop receiving, silently."""
        text = data.decode(errors="replace") if isinstance(data, bytes) else data
        if text == "pong":
            if self._client is not None:
                self._client.lastPong = self._exchange.milliseconds()
            return
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            message = None
        self.take(message, text)
