"""OKX's history of candles as a `CandleArchive`."""

from collections.abc import Sequence
from typing import Final

from oxbot.adapters.okx.client import OkxClient
from oxbot.adapters.okx.errors import unusable
from oxbot.adapters.okx.feed import OkxFeed
from oxbot.candles.names import length_of
from oxbot.candles.rows import Row, row_of, shape_fault, value_fault

RECENT: Final = 1440
"""market/candles goes back so many candles; older ones are in market/history-candles."""

CONFIRM: Final = 8
"""Where a row says "1" when the candle is closed."""


class OkxArchive:
    """Closed candles of OKX spot, as far back as OKX keeps them.

    Args:
        client: The connection.
        venue: Which world they are of: OKX's, or a simulated one.
        now_ms: The venue's time in ms UTC, by which recent candles are told from older ones.
    """

    def __init__(self, client: OkxClient, venue: str, now_ms: int) -> None:
        self._client = client
        self._venue = venue
        self._now_ms = now_ms

    @property
    def venue(self) -> str:
        """Name of the venue."""
        return self._venue

    @property
    def now_ms(self) -> int:
        """The venue's time when this was opened, in ms UTC."""
        return self._now_ms

    async def check_listed(self, symbols: Sequence[str]) -> None:
        """Refuse symbols that OKX does not list.

        Raises:
            InputError: It names them, with the nearest names that are listed.
        """
        await OkxFeed(self._client, venue=self._venue).instruments(symbols)

    async def page(self, symbol: str, bar: str, before_ms: int, count: int) -> list[Row]:
        """Give up to `count` closed candles that opened before a time (ms UTC), newest first.

        Raises:
            VenueUnavailable: No usable answer.
        """
        inst_id = symbol.replace("/", "-")
        rows: list[object] = []
        if before_ms > self._now_ms - RECENT * length_of(bar):
            rows = await self._client.candles(
                inst_id=inst_id, before_ms=before_ms, count=count, bar=bar
            )
        if len(rows) < count:
            # All of it again and not the rest: an empty rest could be a lost answer.
            rows = await self._client.older_candles(
                inst_id=inst_id, before_ms=before_ms, count=count, bar=bar
            )
        read = (_read(symbol, row) for row in rows)
        return [candle for closed, candle in read if closed]


def _read(symbol: str, row: object) -> tuple[bool, Row]:
    """Read a row `[ts, open, high, low, close, volume, ..., confirm]`: closed or not, and it."""
    if not isinstance(row, list) or len(row) <= CONFIRM or not _is_text(row):
        raise unusable(symbol, "a candle's row is incomplete")
    try:
        candle = row_of(row[:6])
    except ValueError as error:
        raise unusable(symbol, f"of a candle {error}") from error
    if why := shape_fault(candle) or value_fault(candle):
        raise unusable(symbol, f"the candle at {row[0]} has {why}")
    return row[CONFIRM] == "1", candle


def _is_text(row: Sequence[object]) -> bool:
    return all(isinstance(cell, str) for cell in row)
