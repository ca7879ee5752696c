"""OKX's public market data as a `MarketFeed`."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import structlog

from oxbot.adapters.okx.client import OkxClient
from oxbot.adapters.okx.errors import unusable
from oxbot.adapters.okx.kept_candles import KeptCandles
from oxbot.adapters.okx.listing import OkxListing, SharedListing
from oxbot.adapters.okx.parse import (
    book_of,
    closed_candles,
    inst_id_of,
    perpetual_of,
    quote_of,
    rows_by_id,
    swap_id_of,
    traded_rows,
)
from oxbot.domain.book import Book
from oxbot.domain.bot import REAL_VENUE
from oxbot.domain.errors import InputError, VenueUnavailable
from oxbot.domain.market import Bar, Candle, ClockReading, Instrument, Perpetual, Quote

MOST_CANDLES: Final = 300
"""Most rows that OKX gives in one answer."""

MOST_PAGES: Final = 5
"""Most answers that one series of candles is put together from."""

_log = structlog.get_logger(__name__)


class OkxFeed:
    """Prices, candles, perpetuals and instruments of OKX spot.

    Args:
        client: The connection, shared by everything that reads.
        venue: Which world the prices are of: OKX's, or a simulated one.
        shared: Where the list of instruments is shared with other processes, if anywhere.
        wall_ms: Wall time in ms UTC, by which receipt is stamped.
        monotonic_s: Seconds of a clock that is never set, for the age of the list.
    """

    def __init__(
        self,
        client: OkxClient,
        *,
        venue: str = REAL_VENUE,
        shared: SharedListing | None = None,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._venue = venue
        self._wall_ms = wall_ms
        self._listing = OkxListing(client, venue, shared, monotonic_s=monotonic_s)
        self._kept = KeptCandles()
        self._without_price: frozenset[str] = frozenset()

    @property
    def venue(self) -> str:
        """Name of the venue."""
        return self._venue

    async def instruments(self, symbols: Sequence[str]) -> dict[str, Instrument]:
        """Give tick, lot and minimum of spot pairs in USDT.

        Raises:
            InputError: Symbols that OKX does not list, with the nearest names it does list.
            VenueUnavailable: The list could not be read, or one of them is not traded now.
        """
        return await self._listing.of(symbols)

    async def listing(self, *, fresh: bool = False) -> dict[str, Instrument]:
        """Give every spot pair in USDT that can be traded; `fresh` asks OKX itself.

        Raises:
            VenueUnavailable: The list could not be read.
        """
        return await self._listing.all(fresh=fresh)

    async def quotes(self, symbols: Sequence[str], now: ClockReading) -> list[Quote]:
        """Give the current prices of any number of symbols by one request, in their order.

        Raises:
            VenueUnavailable: Any of them has no usable price; it is named.
        """
        rows = rows_by_id(await self._client.tickers())
        wall_ms = self._wall_ms()
        missing = [symbol for symbol in symbols if inst_id_of(symbol) not in rows]
        if missing:
            raise unusable(", ".join(missing), "there is no price among the tickers")
        return [quote_of(symbol, rows[inst_id_of(symbol)], now, wall_ms) for symbol in symbols]

    async def all_quotes(self, now: ClockReading) -> list[Quote]:
        """Give the price of every spot pair in USDT that has a usable one, by one request.

        Pairs without one are left out, and logged when they first lack it.

        Raises:
            VenueUnavailable: The tickers could not be read, or none of them is usable.
        """
        rows = traded_rows(await self._client.tickers())
        wall_ms = self._wall_ms()
        quotes: list[Quote] = []
        without: dict[str, str] = {}
        for symbol, row in rows.items():
            try:
                quotes.append(quote_of(symbol, row, now, wall_ms))
            except VenueUnavailable as error:
                without[symbol] = str(error)
        self._tell_once(without)
        if not quotes:
            raise unusable("the tickers", "none of them is a price in USDT")
        return quotes

    async def book(self, symbol: str, depth: int, now: ClockReading) -> Book:
        """Give the order book of a symbol, at most so many levels (1 to 400) on each side.

        Everybody asks for himself: an answer that was on its way before may be older than the price
        that an exit is for.

        Raises:
            InputError: OKX does not list the symbol.
            VenueUnavailable: The book could not be read, is out of order, or is crossed.
        """
        row = await self._client.book(inst_id_of(symbol), depth)
        return book_of(symbol, row, now, self._wall_ms())

    async def candles(
        self, symbol: str, count: int, end_ms: int, bar: Bar = Bar.M5
    ) -> list[Candle]:
        """Give the last closed candles of one length, oldest first and without a gap.

        Only those since the last time are asked for, where they join exactly.

        Args:
            symbol: Such as BTC/USDT.
            count: 1 to 300; fewer come back only if OKX has no more, for a new symbol.
            end_ms: Venue time by which the last of them ended.
            bar: Their length.

        Raises:
            InputError: OKX does not list the symbol.
            VenueUnavailable: The newest is not there yet, candles are missing in between, or a
                row is unreadable.
        """
        if not 1 <= count <= MOST_CANDLES:
            raise InputError(f"{count} candles were asked for; OKX gives 1 to {MOST_CANDLES}.")
        await self._listing.of([symbol])
        lacking = self._kept.lacking(symbol, bar, bar.closed_by(end_ms) - bar.length_ms, count)
        candles = await self._closed(symbol, lacking, end_ms, bar)
        if lacking < count:
            longer = self._kept.prolonged(symbol, bar, candles)
            if longer is not None:
                return longer[-count:]
            _log.info("candles are read anew: the last ones were others", symbol=symbol, bar=bar)
            candles = await self._closed(symbol, count, end_ms, bar)
        self._kept.keep(symbol, bar, candles)
        return candles

    async def perpetual(self, symbol: str, now: ClockReading) -> Perpetual | None:
        """Give the funding rate and the open interest of the coin's perpetual in USDT.

        None only where OKX lists no perpetual for the coin.

        Raises:
            VenueUnavailable: They could not be read, or are unusable.
        """
        inst_id = swap_id_of(symbol)
        try:
            funding = await self._client.funding(inst_id)
            interest = await self._client.open_interest(inst_id)
        except InputError:
            return None
        return perpetual_of(symbol, funding, interest, now, self._wall_ms())

    async def _closed(self, symbol: str, count: int, end_ms: int, bar: Bar) -> list[Candle]:
        """Read closed candles up to the newest, oldest first."""
        newest_ms = bar.closed_by(end_ms) - bar.length_ms
        rows = await self._candle_rows(symbol, count, newest_ms, bar)
        candles = closed_candles(symbol, rows, end_ms, bar)
        if not candles or candles[-1].open_ms != newest_ms:
            raise unusable(symbol, f"the candle of {newest_ms} is not among the closed ones yet")
        return candles[-count:]

    async def _candle_rows(self, symbol: str, count: int, newest_ms: int, bar: Bar) -> list[object]:
        """Read rows, newest first, until there are enough or OKX has no more.

        Its archive tells a new symbol from an answer that was cut short, and it may give fewer
        rows at once than the recent candles do.
        """
        inst_id = inst_id_of(symbol)
        rows = await self._client.candles(inst_id, newest_ms + 1, count, bar)
        for _ in range(MOST_PAGES):
            if len(rows) >= count:
                break
            before_ms = newest_ms + 1 - len(rows) * bar.length_ms
            older = await self._client.older_candles(inst_id, before_ms, count - len(rows), bar)
            if not older:
                break
            rows += older
        return rows

    def _tell_once(self, without: Mapping[str, str]) -> None:
        news = without.keys() - self._without_price
        if news:
            _log.info(
                "pairs are without a usable price",
                count=len(without),
                first=sorted(news)[:10],
                reason=without[min(news)],
            )
        self._without_price = frozenset(without)
