"""OKX's rows as instruments, quotes and candles.

Numbers come as text and go to Decimal directly. Whatever is missing, not positive or not a
number is refused by name; no row is repaired and no None gets through.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Final

from oxbot.adapters.okx.errors import unusable
from oxbot.domain.errors import InputError
from oxbot.domain.market import CANDLE_MS, Candle, ClockReading, Instrument, Quote
from oxbot.domain.money import decimal_from

CLOCK_SLACK_MS: Final = 5_000
"""How far ahead of our idea of the venue's time a price may be stamped, in real ms."""

CONFIRM: Final = 8
"""Where a candle's row says "1" when it is closed, "0" while it moves."""


def instrument_of(symbol: str, row: object) -> Instrument:
    """Read tick (`tickSz`), lot (`lotSz`) and minimum (`minSz`) of an instrument."""
    fields = _mapping(row, symbol)
    return Instrument(
        symbol=symbol,
        tick=_positive(fields, "tickSz", symbol),
        lot=_positive(fields, "lotSz", symbol),
        minimum=_positive(fields, "minSz", symbol),
    )


def quote_of(symbol: str, row: object, now: ClockReading, wall_ms: int) -> Quote:
    """Read a ticker's row.

    Args:
        symbol: Whose row it is.
        row: OKX's ticker.
        now: The venue's clock.
        wall_ms: Wall time of the answer's arrival.

    Raises:
        VenueUnavailable: A price or its time is missing, not positive, or stamped in the
            future: such a price would look fresh for as long as it is ahead.
    """
    fields = _mapping(row, symbol)
    received_ms = now.venue_at(wall_ms)
    exchange_ms = _time(fields.get("ts"), symbol)
    ahead_ms = exchange_ms - received_ms
    if ahead_ms > now.scaled_ms(CLOCK_SLACK_MS):
        raise unusable(symbol, f"its price is stamped {ahead_ms} ms in the future")
    return Quote(
        symbol=symbol,
        bid=_positive(fields, "bidPx", symbol),
        ask=_positive(fields, "askPx", symbol),
        last=_positive(fields, "last", symbol),
        volume_24h=_number(fields.get("vol24h"), "vol24h", symbol),
        exchange_ms=exchange_ms,
        received_ms=received_ms,
        source="rest",
    )


def rows_by_id(rows: Sequence[object]) -> dict[str, object]:
    """Index rows by `instId`; what has none belongs to nobody and is left out."""
    named = ((row.get("instId"), row) for row in rows if isinstance(row, dict))
    return {name: row for name, row in named if isinstance(name, str)}


def closed_candles(symbol: str, rows: Sequence[object], end_ms: int) -> list[Candle]:
    """Read candle rows, newest first as OKX sends them, into closed candles, oldest first.

    A row is `[ts, open, high, low, close, volume, ...., confirm]`. What ends after `end_ms` or
    is not confirmed is still moving and left out.

    Raises:
        VenueUnavailable: A row is unreadable, or candles are missing in between.
    """
    closed = [
        _candle(fields, symbol)
        for row in reversed(rows)
        for fields in (_fields(row, symbol),)
        if fields[CONFIRM] == "1" and _time(fields[0], symbol) + CANDLE_MS <= end_ms
    ]
    _check_consecutive(symbol, closed)
    return closed


def _check_consecutive(symbol: str, candles: Sequence[Candle]) -> None:
    for before, after in pairwise(candles):
        if after.open_ms - before.open_ms != CANDLE_MS:
            raise unusable(
                symbol, f"the candle at {after.open_ms} does not follow the one at {before.open_ms}"
            )


def _candle(fields: Sequence[object], symbol: str) -> Candle:
    open_, high, low, close = (_price(value, "a candle's price", symbol) for value in fields[1:5])
    if not low <= min(open_, close) <= max(open_, close) <= high:
        raise unusable(symbol, f"the candle at {fields[0]} has its high or low inside its body")
    return Candle(
        open_ms=_time(fields[0], symbol),
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=_number(fields[5], "a candle's volume", symbol),
    )


def _fields(row: object, symbol: str) -> list[object]:
    if not isinstance(row, list) or len(row) <= CONFIRM:
        raise unusable(symbol, "a candle's row is incomplete")
    return row


def _mapping(row: object, symbol: str) -> Mapping[str, object]:
    if not isinstance(row, dict):
        raise unusable(symbol, "its row is not an object")
    return row


def _positive(fields: Mapping[str, object], name: str, symbol: str) -> Decimal:
    return _price(fields.get(name), name, symbol)


def _price(value: object, what: str, symbol: str) -> Decimal:
    number = _number(value, what, symbol)
    if number == 0:
        raise unusable(symbol, f"{what} is 0")
    return number


def _number(value: object, what: str, symbol: str) -> Decimal:
    """Read a number that is not negative."""
    if not isinstance(value, str) or not value:
        raise unusable(symbol, f"{what} is {value!r} where OKX sends a number as text")
    try:
        number = decimal_from(value, what)
    except InputError as error:
        raise unusable(symbol, str(error).rstrip(".")) from error
    if number < 0:
        raise unusable(symbol, f"{what} is {value}")
    return number


def _time(value: object, symbol: str) -> int:
    """Read a time in ms UTC."""
    if not isinstance(value, str) or not value.isdecimal() or len(value) > 15:  # noqa: PLR2004 - ms until the year 33658
        raise unusable(symbol, f"its time is {value!r}")
    return int(value)
