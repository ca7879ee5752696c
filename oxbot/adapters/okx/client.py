"""ccxt's OKX client for public data: one connection pool, throttled, and no retries.

The rows are handed on as OKX wrote them. ccxt's unified structures would turn prices into
floats, drop a candle's confirm flag, and lose all instruments over one odd row, so only its
transport is used: addresses, throttle, time-outs, HTTP and error codes.
"""

from collections.abc import Awaitable
from types import TracebackType
from typing import Final, Protocol, Self, cast

import ccxt.async_support as ccxt
import structlog

from oxbot.adapters.okx.errors import read_failure, rows_of, unusable
from oxbot.adapters.okx.place import Host, Place, open_rest, rest_url_of
from oxbot.domain.market import Bar

SPOT: Final = {"instType": "SPOT"}

BARS: Final = {"1m": "1m", "5m": "5m", "1h": "1H", "4h": "4H"}
"""OKX's names of the candle lengths, by ours; those of `Bar` are among them."""

UNREADABLE: Final = (
    ccxt.BaseError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What ccxt raises: its own errors, and whatever an answer of a strange shape trips over."""

_log = structlog.get_logger(__name__)


class _Transport(Protocol):
    """The part of ccxt that is used; ccxt itself comes without types."""

    async def public_get_public_time(self) -> object: ...

    async def public_get_public_instruments(self, params: dict[str, str]) -> object: ...

    async def public_get_public_funding_rate(self, params: dict[str, str]) -> object: ...

    async def public_get_public_open_interest(self, params: dict[str, str]) -> object: ...

    async def public_get_market_tickers(self, params: dict[str, str]) -> object: ...

    async def public_get_market_books(self, params: dict[str, str]) -> object: ...

    async def public_get_market_candles(self, params: dict[str, str]) -> object: ...

    async def public_get_market_history_candles(self, params: dict[str, str]) -> object: ...

    async def close(self) -> None: ...


class OkxClient:
    """Public data of OKX, or of a server that answers as it does.

    Use it as an async context manager; one a process is enough. It has a throttle of its own,
    so that what reads the market never waits for what trades, nor the other way round.

    Args:
        rest_url: Instead of the host's own address: a simulator's, or a proxy's.
        host: Which of OKX's three: okx, myokx (Europe), okxus (USA).
        demo: Whether to read OKX's demo trading.
        timeout_ms: How long to wait for an answer.
        throttled: Keep to OKX's rate limits; only a local server can do without.
    """

    def __init__(
        self,
        rest_url: str | None = None,
        *,
        host: Host = "okx",
        demo: bool = False,
        timeout_ms: int = 10_000,
        throttled: bool = True,
    ) -> None:
        place = Place(host, demo, rest_url, None, timeout_ms, throttled)
        exchange = open_rest(place)
        self.rest_url = rest_url_of(exchange)
        self._timeout_ms = timeout_ms
        self._ccxt = cast("_Transport", exchange)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections; the client cannot be used afterwards."""
        await self._ccxt.close()

    async def server_time_ms(self) -> int:
        """Ask for the venue's time, in ms UTC."""
        asked = "the time"
        row = (await self._rows(asked, self._ccxt.public_get_public_time()))[0]
        text = row.get("ts") if isinstance(row, dict) else None
        if not isinstance(text, str) or not (text.isascii() and text.isdecimal()):
            raise unusable(asked, f"it is {text!r}")
        return int(text)

    async def instruments(self) -> list[object]:
        """Give the rows of every spot instrument, in one request."""
        call = self._ccxt.public_get_public_instruments(SPOT)
        rows = await self._rows("the instruments", call)
        _log.info("okx instruments loaded", venue=self.rest_url, count=len(rows))
        return rows

    async def tickers(self) -> list[object]:
        """Give the ticker rows of every spot instrument, in one request."""
        return await self._rows("the tickers", self._ccxt.public_get_market_tickers(SPOT))

    async def book(self, inst_id: str, depth: int) -> object:
        """Give the row of an instrument's order book, so many levels on each side (400 at most)."""
        asked = f"the book of {inst_id}"
        params = {"instId": inst_id, "sz": str(depth)}
        return (await self._rows(asked, self._ccxt.public_get_market_books(params)))[0]

    async def candles(
        self, inst_id: str, before_ms: int, count: int, bar: str = Bar.M5
    ) -> list[object]:
        """Give up to 300 candle rows that opened before a time (ms UTC), newest first."""
        params = _candle_params(inst_id, before_ms, count, bar)
        return await self._candle_rows(inst_id, self._ccxt.public_get_market_candles(params))

    async def older_candles(
        self, inst_id: str, before_ms: int, count: int, bar: str = Bar.M5
    ) -> list[object]:
        """As `candles`, from OKX's archive, which goes back further than its last 1440."""
        params = _candle_params(inst_id, before_ms, count, bar)
        call = self._ccxt.public_get_market_history_candles(params)
        return await self._candle_rows(inst_id, call)

    async def funding(self, inst_id: str) -> object:
        """Give the row of a perpetual's funding rate; InputError where none is listed."""
        asked = f"the funding rate of {inst_id}"
        call = self._ccxt.public_get_public_funding_rate({"instId": inst_id})
        return (await self._rows(asked, call))[0]

    async def open_interest(self, inst_id: str) -> object:
        """Give the row of a perpetual's open interest; InputError where none is listed."""
        asked = f"the open interest of {inst_id}"
        params = {"instType": "SWAP", "instId": inst_id}
        return (await self._rows(asked, self._ccxt.public_get_public_open_interest(params)))[0]

    async def _candle_rows(self, inst_id: str, call: Awaitable[object]) -> list[object]:
        """Give the rows; none is an answer here, for there may be nothing older."""
        asked = f"the candles of {inst_id}"
        answer = await self._ask(asked, call)
        if isinstance(answer, dict) and answer.get("data") == []:
            return []
        return rows_of(answer, asked)

    async def _rows(self, asked: str, call: Awaitable[object]) -> list[object]:
        return rows_of(await self._ask(asked, call), asked)

    async def _ask(self, asked: str, call: Awaitable[object]) -> object:
        try:
            return await call
        except UNREADABLE as error:
            raise read_failure(error, asked, self._timeout_ms) from error


def _candle_params(inst_id: str, before_ms: int, count: int, bar: str) -> dict[str, str]:
    """OKX pages backwards: `after` means opened earlier than."""
    return {"instId": inst_id, "bar": BARS[bar], "after": str(before_ms), "limit": str(count)}
