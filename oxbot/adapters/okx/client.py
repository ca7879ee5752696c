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

OKX_URL: Final = "https://www.okx.com"
SPOT: Final = {"instType": "SPOT"}
BARS: Final = {"1m": "1m", "5m": "5m", "1h": "1H", "4h": "4H"}
"""OKX's names of the candle lengths."""

_log = structlog.get_logger(__name__)


class _Transport(Protocol):
    """The part of ccxt that is used; ccxt itself comes without types."""

    async def public_get_public_time(self) -> object: ...

    async def public_get_public_instruments(self, params: dict[str, str]) -> object: ...

    async def public_get_market_tickers(self, params: dict[str, str]) -> object: ...

    async def public_get_market_candles(self, params: dict[str, str]) -> object: ...

    async def public_get_market_history_candles(self, params: dict[str, str]) -> object: ...

    async def close(self) -> None: ...


class OkxClient:
    """Public data of OKX, or of a server that answers as it does.

    Use it as an async context manager; one a process is enough.

    Args:
        rest_url: Address of OKX, of a region's host, or of a simulator.
        timeout_ms: How long to wait for an answer.
        throttled: Keep to OKX's rate limits; only a local server can do without.
    """

    def __init__(
        self, rest_url: str = OKX_URL, *, timeout_ms: int = 10_000, throttled: bool = True
    ) -> None:
        self.rest_url = rest_url.rstrip("/")
        self._timeout_ms = timeout_ms
        config = _config(self.rest_url, timeout_ms, throttled=throttled)
        self._ccxt = cast("_Transport", ccxt.okx(config))

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
        answer = await self._ask(asked, self._ccxt.public_get_public_time())
        row = rows_of(answer, asked)[0]
        text = row.get("ts") if isinstance(row, dict) else None
        if not isinstance(text, str) or not text.isdecimal():
            raise unusable(asked, f"it is {text!r}")
        return int(text)

    async def instruments(self) -> list[object]:
        """Give the rows of every spot instrument, in one request."""
        asked = "the instruments"
        call = self._ccxt.public_get_public_instruments(SPOT)
        rows = rows_of(await self._ask(asked, call), asked)
        _log.info("okx instruments loaded", venue=self.rest_url, count=len(rows))
        return rows

    async def tickers(self) -> list[object]:
        """Give the ticker rows of every spot instrument, in one request."""
        asked = "the tickers"
        call = self._ccxt.public_get_market_tickers(SPOT)
        return rows_of(await self._ask(asked, call), asked)

    async def candles(
        self, inst_id: str, before_ms: int, count: int, bar: str = "5m"
    ) -> list[object]:
        """Give up to 300 candle rows that opened before a time (ms UTC), newest first.

        Args:
            inst_id: OKX's name, such as BTC-USDT.
            before_ms: Only candles that opened earlier.
            count: At most so many.
            bar: Their length: 1m, 5m, 1h or 4h.
        """
        params = _candle_params(inst_id, before_ms, count, bar)
        return await self._candle_rows(inst_id, self._ccxt.public_get_market_candles(params))

    async def older_candles(
        self, inst_id: str, before_ms: int, count: int, bar: str = "5m"
    ) -> list[object]:
        """As `candles`, from OKX's archive, which goes back further than its last 1440."""
        params = _candle_params(inst_id, before_ms, count, bar)
        call = self._ccxt.public_get_market_history_candles(params)
        return await self._candle_rows(inst_id, call)

    async def _candle_rows(self, inst_id: str, call: Awaitable[object]) -> list[object]:
        """Give the rows; none is an answer here, for there may be nothing older."""
        asked = f"the candles of {inst_id}"
        answer = await self._ask(asked, call)
        if isinstance(answer, dict) and answer.get("data") == []:
            return []
        return rows_of(answer, asked)

    async def _ask(self, asked: str, call: Awaitable[object]) -> object:
        try:
            return await call
        except ccxt.BaseError as error:
            raise read_failure(error, asked, self._timeout_ms) from error


def _candle_params(inst_id: str, before_ms: int, count: int, bar: str) -> dict[str, str]:
    """OKX pages backwards: `after` means opened earlier than."""
    return {"instId": inst_id, "bar": BARS[bar], "after": str(before_ms), "limit": str(count)}


def _config(rest_url: str, timeout_ms: int, *, throttled: bool) -> dict[str, object]:
    encrypted = rest_url.startswith("https://")
    return {
        "urls": {"api": {"rest": rest_url}},
        "timeout": timeout_ms,
        "enableRateLimit": throttled,
        # A proxy of the environment is for the way out, never for a server on this machine.
        "aiohttp_trust_env": encrypted,
        # When closing, ccxt waits so many ms for TLS to say goodbye.
        "timeout_on_exit": 250 if encrypted else 0,
        # ccxt takes a 429 without JSON for an outage.
        "httpExceptions": {"429": ccxt.RateLimitExceeded},
        "options": {"maxRetriesOnFailure": 0},
    }
