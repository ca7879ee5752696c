"""OKX's prices as they change, over the WebSocket."""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Final

import structlog

from oxbot.adapters.okx.channel import Arrived, TickerChannel
from oxbot.adapters.okx.parse import quote_of
from oxbot.adapters.okx.place import Host, Place
from oxbot.domain.errors import InputError, VenueUnavailable
from oxbot.domain.market import ClockReading, Quote

KEEP_ALIVE_MS: Final = 5_000
"""How often to ping: a connection that is dead is noticed within three times as long. OKX
itself closes one that was silent for 30 s."""

_log = structlog.get_logger(__name__)


class OkxStream:
    """Streams of prices; each has a connection of its own, and none reconnects by itself.

    Args:
        ws_url: Instead of the host's own address: a simulator's (ws://127.0.0.1:8021/ws/v5).
        host: Which of OKX's three: okx, myokx (Europe), okxus (USA).
        demo: Whether to read OKX's demo trading.
        timeout_ms: How long connecting and subscribing may take.
        keep_alive_ms: How often to ping.
        wall_ms: Wall time in ms UTC, by which receipt is stamped.
    """

    def __init__(
        self,
        ws_url: str | None = None,
        *,
        host: Host = "okx",
        demo: bool = False,
        timeout_ms: int = 10_000,
        keep_alive_ms: int = KEEP_ALIVE_MS,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._place = Place(host, demo, ws_url=ws_url, timeout_ms=timeout_ms)
        self._keep_alive_ms = keep_alive_ms
        self._wall_ms = wall_ms
        self._channels: set[TickerChannel] = set()
        self._without_price: set[str] = set()

    async def quotes(
        self, symbols: Sequence[str], clock: Callable[[], Awaitable[ClockReading]]
    ) -> AsyncGenerator[list[Quote], None]:
        """Give prices in batches as they arrive, in their order, until this side closes.

        Rows without a usable price are left out, and logged when a symbol first lacks it.
        Closing the iterator closes the connection.

        Args:
            symbols: Such as BTC/USDT; at least one.
            clock: Reads the venue's clock; it is asked after each arrival, since a reading
                from before would make a price look as if it came from the future.

        Raises:
            InputError: No symbol, or one that OKX does not know; it is named.
            VenueUnavailable: The connection was refused, lost, or cannot be read.
        """
        if not symbols:
            raise InputError("No symbol was named to stream the prices of.")
        channel = TickerChannel(self._place, self._keep_alive_ms, self._wall_ms)
        self._channels.add(channel)
        try:
            await channel.subscribe(symbols)
            _log.info("price stream opened", url=channel.url, symbols=len(symbols))
            while arrived := await channel.rows():
                quotes = self._quotes(arrived, await clock())
                if quotes:
                    yield quotes
        finally:
            self._channels.discard(channel)
            await channel.close()

    async def close(self) -> None:
        """Close all connections; iterators over them end."""
        for channel in tuple(self._channels):
            await channel.close()

    def _quotes(self, arrived: Sequence[Arrived], now: ClockReading) -> list[Quote]:
        quotes = []
        for symbol, row, wall_ms in arrived:
            try:
                quotes.append(quote_of(symbol, row, now, wall_ms, "stream"))
            except VenueUnavailable as error:
                self._tell_once(symbol, str(error))
            else:
                self._without_price.discard(symbol)
        return quotes

    def _tell_once(self, symbol: str, why: str) -> None:
        if symbol not in self._without_price:
            self._without_price.add(symbol)
            _log.warning("the stream has no usable price", symbol=symbol, reason=why)
