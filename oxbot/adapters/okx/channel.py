"""One WebSocket connection to OKX's `tickers` channel: raw rows in, or a failure."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from oxbot.adapters.okx.connection import Connection
from oxbot.adapters.okx.parse import inst_id_of
from oxbot.adapters.okx.place import Place, open_stream, ws_url_of
from oxbot.adapters.okx.stream_errors import error_event, notice, unreadable
from oxbot.domain.errors import VenueUnavailable

CHANNEL: Final = "tickers"

MOST_WAITING: Final = 50_000
"""Rows that nobody has read yet; beyond this the reader is too slow to be of use."""

TURNS: Final = 3
"""Turns of the event loop within which ccxt hands on all messages that came in one packet; taken
together they are one write to the price board."""


class Arrived(NamedTuple):
    """A ticker's row as OKX wrote it, and the wall time in ms at which it came."""

    symbol: str
    row: Mapping[str, object]
    wall_ms: int


class TickerChannel(Connection):
    """The tickers of some symbols over one connection, which is opened by `subscribe`.

    Args:
        place: Which OKX, and how long to wait for it.
        keep_alive_ms: How often to ping; two pongs missing are a loss.
        wall_ms: Wall time in ms UTC, by which receipt is stamped.
    """

    def __init__(self, place: Place, keep_alive_ms: int, wall_ms: Callable[[], int]) -> None:
        exchange = open_stream(place, keep_alive_ms)
        super().__init__(exchange, ws_url_of(exchange), place.timeout_ms)
        self._wall_ms = wall_ms
        self._symbols: dict[str, str] = {}
        self._confirmed: set[str] = set()
        self._rows: list[Arrived] = []

    async def subscribe(self, symbols: Sequence[str]) -> None:
        """Connect, and wait until OKX has confirmed every symbol.

        Raises:
            InputError: OKX does not know a symbol.
            VenueUnavailable: It could not be connected, or it confirms nothing.
        """
        self._symbols = {inst_id_of(symbol): symbol for symbol in symbols}
        arguments = [{"channel": CHANNEL, "instId": inst_id} for inst_id in self._symbols]
        self.begin({"op": "subscribe", "args": arguments}, CHANNEL)
        await self.until(
            lambda: self._confirmed >= self._symbols.keys(),
            f"did not confirm the prices of {', '.join(symbols)}",
        )

    async def rows(self) -> list[Arrived]:
        """Give what has come since the last call, in its order; waits for the first row.

        An empty list means that this side has closed the connection.

        Raises:
            OxbotError: The connection has failed, and everything before that was read.
        """
        while not self._rows and not self.closed:
            self.raise_failure()
            await self.next_news()
        for _ in range(TURNS):
            await asyncio.sleep(0)
        taken, self._rows = self._rows, []
        return taken

    def take(self, message: object, text: str) -> None:
        """Take rows, confirmations and what ends the stream."""
        argument = (message.get("arg") or {}) if isinstance(message, dict) else None
        if not isinstance(message, dict) or not isinstance(argument, dict):
            return self.fail(unreadable(self.url, text))
        event, inst_id = message.get("event"), argument.get("instId")
        if event is None:
            return self._take_rows(inst_id, message.get("data"), text)
        if event == "error":
            return self.fail(error_event(message, self._symbols))
        if event in ("notice", f"{CHANNEL}-conn-count-error"):
            return self.fail(notice(message))
        if event == "subscribe" and isinstance(inst_id, str):
            self._confirmed.add(inst_id)
            self.has_news()
        return None

    def _take_rows(self, inst_id: object, rows: object, text: str) -> None:
        """Take rows that are of the instrument which they are said to be of."""
        if not isinstance(rows, list) or not all(_is_of(inst_id, row) for row in rows):
            return self.fail(unreadable(self.url, text))
        symbol = self._symbols.get(str(inst_id))
        if symbol is None:
            return self.fail(unreadable(self.url, text))
        if len(self._rows) + len(rows) > MOST_WAITING:
            return self.fail(
                VenueUnavailable(
                    f"OKX's prices are read too slowly: {MOST_WAITING} are waiting. "
                    "The stream is closed, so that none is taken for a fresh one."
                )
            )
        arrived_ms = self._wall_ms()
        self._rows += [Arrived(symbol, row, arrived_ms) for row in rows]
        self.has_news()
        return None


def _is_of(inst_id: object, row: object) -> bool:
    return isinstance(row, dict) and row.get("instId") == inst_id
