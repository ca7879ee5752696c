"""OKX's public market data as a `MarketFeed`."""

import asyncio
import difflib
import time
from collections.abc import Callable, Sequence
from typing import Final

from oxbot.adapters.okx.client import OkxClient
from oxbot.adapters.okx.errors import unusable
from oxbot.adapters.okx.parse import closed_candles, instrument_of, quote_of, rows_by_id
from oxbot.domain.bot import REAL_VENUE
from oxbot.domain.errors import InputError
from oxbot.domain.market import CANDLE_MS, Candle, ClockReading, Instrument, Quote

MOST_CANDLES: Final = 300
"""Most rows that OKX gives in one answer."""

RELOAD_AFTER_S: Final = 60
"""A symbol that is not listed makes the list be read again, but not more often than this."""


class OkxFeed:
    """Prices, candles and instruments of OKX spot.

    Args:
        client: The connection, shared by everything that reads.
        venue: Which world the prices are of: OKX's, or a simulated one.
        wall_ms: Wall time in ms UTC, by which receipt is stamped.
        monotonic_s: Seconds of a clock that is never set, for the reload limit.
    """

    def __init__(
        self,
        client: OkxClient,
        *,
        venue: str = REAL_VENUE,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._venue = venue
        self._wall_ms = wall_ms
        self._monotonic_s = monotonic_s
        self._listed: dict[str, object] = {}
        self._loaded_s = 0.0
        self._loading = asyncio.Lock()

    @property
    def venue(self) -> str:
        """Name of the venue."""
        return self._venue

    async def instruments(self, symbols: Sequence[str]) -> dict[str, Instrument]:
        """Give tick, lot and minimum of spot pairs.

        Raises:
            InputError: Symbols that OKX does not list, with the nearest names it does list.
            VenueUnavailable: The list could not be read.
        """
        listed = await self._listing(symbols)
        return {symbol: instrument_of(symbol, listed[_inst_id(symbol)]) for symbol in symbols}

    async def quotes(self, symbols: Sequence[str], now: ClockReading) -> list[Quote]:
        """Give the current prices of any number of symbols by one request, in their order.

        Raises:
            VenueUnavailable: Any of them has no usable price; it is named.
        """
        rows = rows_by_id(await self._client.tickers())
        wall_ms = self._wall_ms()
        missing = [symbol for symbol in symbols if _inst_id(symbol) not in rows]
        if missing:
            raise unusable(", ".join(missing), "there is no price among the tickers")
        return [quote_of(symbol, rows[_inst_id(symbol)], now, wall_ms) for symbol in symbols]

    async def candles(self, symbol: str, count: int, end_ms: int) -> list[Candle]:
        """Give the last closed five-minute candles, oldest first and without a gap.

        Args:
            symbol: Such as BTC/USDT.
            count: 1 to 300; fewer come back only if OKX has no more, for a new symbol.
            end_ms: Venue time by which the last of them ended.

        Raises:
            InputError: OKX does not list the symbol.
            VenueUnavailable: The newest is not there yet, candles are missing in between, or a
                row is unreadable.
        """
        if not 1 <= count <= MOST_CANDLES:
            raise InputError(f"{count} candles were asked for; OKX gives 1 to {MOST_CANDLES}.")
        await self._listing([symbol])
        newest_ms = (end_ms // CANDLE_MS - 1) * CANDLE_MS
        inst_id = _inst_id(symbol)
        rows = await self._client.candles(inst_id, newest_ms + 1, count)
        if len(rows) < count:
            # The archive tells a new symbol from an answer that was cut short.
            before_ms = newest_ms + 1 - len(rows) * CANDLE_MS
            rows += await self._client.older_candles(inst_id, before_ms, count - len(rows))
        candles = closed_candles(symbol, rows, end_ms)
        if not candles or candles[-1].open_ms != newest_ms:
            raise unusable(symbol, f"the candle of {newest_ms} is not among the closed ones yet")
        return candles[-count:]

    async def _listing(self, symbols: Sequence[str]) -> dict[str, object]:
        """Give OKX's rows by its own names, read once and again when a symbol is unknown."""
        async with self._loading:
            if not self._listed or (self._unlisted(symbols) and self._may_reload()):
                self._listed = rows_by_id(await self._client.instruments())
                self._loaded_s = self._monotonic_s()
        unlisted = self._unlisted(symbols)
        if unlisted:
            raise InputError(self._told(unlisted))
        return self._listed

    def _unlisted(self, symbols: Sequence[str]) -> list[str]:
        return [symbol for symbol in symbols if _inst_id(symbol) not in self._listed]

    def _may_reload(self) -> bool:
        return self._monotonic_s() - self._loaded_s >= RELOAD_AFTER_S

    def _told(self, unlisted: Sequence[str]) -> str:
        nearest = {symbol: self._nearest(symbol) for symbol in unlisted}
        named = "; ".join(
            f"{symbol} (nearest: {', '.join(names)})" if names else symbol
            for symbol, names in nearest.items()
        )
        return f"OKX does not list {named}. Use a spot pair from its list, such as BTC/USDT."

    def _nearest(self, symbol: str) -> list[str]:
        near = difflib.get_close_matches(_inst_id(symbol), sorted(self._listed), n=3)
        return [inst_id.replace("-", "/") for inst_id in near]


def _inst_id(symbol: str) -> str:
    """OKX's name of a spot pair: BTC-USDT for BTC/USDT."""
    return symbol.replace("/", "-")
