"""One WebSocket connection to OKX's `tickers` channel: raw rows in, or a failure.

ccxt.pro connects, pings, notices a missing pong and closes. Its handling of messages is
replaced: it would turn prices into floats, and a message that it cannot read stops its
receiving for good without a word.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final, NamedTuple, Protocol, cast

from oxbot.adapters.okx.parse import inst_id_of
from oxbot.adapters.okx.place import Place, open_stream, ws_url_of
from oxbot.adapters.okx.stream_errors import error_event, lost, notice, unreadable
from oxbot.domain.errors import OxbotError, VenueUnavailable

CHANNEL: Final = "tickers"

MOST_WAITING: Final = 50_000
"""Rows that nobody has read yet; beyond this the reader is too slow to be of use."""

TURNS: Final = 3
"""Turns of the event loop within which ccxt hands on all messages that came in one packet; taken
together they are one write to the price board."""

CLOSE_S: Final = 1
"""Seconds to wait for the other side's goodbye."""


class Arrived(NamedTuple):
    """A ticker's row as OKX wrote it, and the wall time in ms at which it came."""

    symbol: str
    row: Mapping[str, object]
    wall_ms: int


class _Client(Protocol):
    """The part of ccxt's WebSocket client that is used; ccxt itself comes without types."""

    handle_text_or_binary_message: Callable[[str | bytes], None]
    lastPong: int  # noqa: N815 - ccxt's name

    async def close(self) -> None: ...


class _Exchange(Protocol):
    """The part of ccxt.pro's exchange that is used."""

    def client(self, url: str) -> _Client: ...

    def watch(
        self, url: str, message_hash: str, message: object, subscribe_hash: str
    ) -> "asyncio.Future[object]": ...

    def milliseconds(self) -> int: ...

    async def close(self) -> None: ...


class TickerChannel:
    """The tickers of some symbols over one connection, which is opened by `subscribe`.

    Args:
        place: Which OKX, and how long to wait for it.
        keep_alive_ms: How often to ping; two pongs missing are a loss.
        wall_ms: Wall time in ms UTC, by which receipt is stamped.
    """

    def __init__(self, place: Place, keep_alive_ms: int, wall_ms: Callable[[], int]) -> None:
        exchange = open_stream(place, keep_alive_ms)
        self.url = ws_url_of(exchange)
        self._exchange = cast("_Exchange", exchange)
        self._client: _Client | None = None
        self._timeout_ms = place.timeout_ms
        self._wall_ms = wall_ms
        self._symbols: dict[str, str] = {}
        self._confirmed: set[str] = set()
        self._rows: list[Arrived] = []
        self._failure: OxbotError | None = None
        self._closed = False
        self._news = asyncio.Event()

    async def subscribe(self, symbols: Sequence[str]) -> None:
        """Connect, and wait until OKX has confirmed every symbol.

        Raises:
            InputError: OKX does not know a symbol.
            VenueUnavailable: It could not be connected, or it confirms nothing.
        """
        self._symbols = {inst_id_of(symbol): symbol for symbol in symbols}
        self._client = self._exchange.client(self.url)
        self._client.handle_text_or_binary_message = self._receive
        arguments = [{"channel": CHANNEL, "instId": inst_id} for inst_id in self._symbols]
        request = {"op": "subscribe", "args": arguments}
        # Nothing ever resolves this future; whatever ends the connection rejects it.
        self._exchange.watch(self.url, "lost", request, CHANNEL).add_done_callback(self._end)
        try:
            async with asyncio.timeout(self._timeout_ms / 1_000):
                while not self._is_ready():
                    await self._next_news()
        except TimeoutError:
            raise VenueUnavailable(
                f"OKX's stream at {self.url} did not confirm the prices of "
                f"{', '.join(symbols)} within {self._timeout_ms} ms."
            ) from None

    async def rows(self) -> list[Arrived]:
        """Give what has come since the last call, in its order; waits for the first row.

        An empty list means that this side has closed the connection.

        Raises:
            OxbotError: The connection has failed, and everything before that was read.
        """
        while not self._rows and not self._closed:
            self._raise_failure()
            await self._next_news()
        for _ in range(TURNS):
            await asyncio.sleep(0)
        taken, self._rows = self._rows, []
        return taken

    async def close(self) -> None:
        """Close the connection; it cannot be opened again."""
        self._closed = True
        self._news.set()
        if self._client is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_S):
                    await self._client.close()
        await self._exchange.close()

    def _is_ready(self) -> bool:
        self._raise_failure()
        return self._confirmed >= self._symbols.keys()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    async def _next_news(self) -> None:
        self._news.clear()
        await self._news.wait()

    def _end(self, ended: "asyncio.Future[object]") -> None:
        """Take the reason for which ccxt gave the connection up."""
        error = None if ended.cancelled() else ended.exception()
        self._fail(lost(self.url, error))

    def _fail(self, error: OxbotError) -> None:
        """Keep the first failure; those after it come of it."""
        self._failure = self._failure or error
        self._news.set()

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
        self._take(message, text)

    def _take(self, message: object, text: str) -> None:
        argument = (message.get("arg") or {}) if isinstance(message, dict) else None
        if not isinstance(message, dict) or not isinstance(argument, dict):
            return self._fail(unreadable(self.url, text))
        event, inst_id = message.get("event"), argument.get("instId")
        if event is None:
            return self._take_rows(inst_id, message.get("data"), text)
        if event == "error":
            return self._fail(error_event(message, self._symbols))
        if event in ("notice", f"{CHANNEL}-conn-count-error"):
            return self._fail(notice(message))
        if event == "subscribe" and isinstance(inst_id, str):
            self._confirmed.add(inst_id)
            self._news.set()
        return None

    def _take_rows(self, inst_id: object, rows: object, text: str) -> None:
        """Take rows that are of the instrument which they are said to be of."""
        if not isinstance(rows, list) or not all(_is_of(inst_id, row) for row in rows):
            return self._fail(unreadable(self.url, text))
        symbol = self._symbols.get(str(inst_id))
        if symbol is None:
            return self._fail(unreadable(self.url, text))
        if len(self._rows) + len(rows) > MOST_WAITING:
            return self._fail(
                VenueUnavailable(
                    f"OKX's prices are read too slowly: {MOST_WAITING} are waiting. "
                    "The stream is closed, so that none is taken for a fresh one."
                )
            )
        arrived_ms = self._wall_ms()
        self._rows += [Arrived(symbol, row, arrived_ms) for row in rows]
        self._news.set()
        return None


def _is_of(inst_id: object, row: object) -> bool:
    return isinstance(row, dict) and row.get("instId") == inst_id
