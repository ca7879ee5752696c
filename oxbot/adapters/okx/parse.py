"""OKX's rows as instruments, quotes, candles and perpetuals.

Numbers come as text and go to Decimal directly. Whatever is missing, not positive or not a
number is refused by name; no row is repaired and no None gets through.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Final

from oxbot.adapters.okx.errors import unusable
from oxbot.domain.book import Book, Level
from oxbot.domain.errors import InputError, VenueUnavailable
from oxbot.domain.market import (
    QUOTE_CURRENCY,
    Bar,
    Candle,
    ClockReading,
    Instrument,
    Perpetual,
    Quote,
    base_of,
)
from oxbot.domain.money import Price, Quantity, decimal_from

CLOCK_SLACK_MS: Final = 5_000
"""How far ahead of our idea of the venue's time a price may be stamped, in real ms."""

SETTLED_SLACK_MS: Final = 600_000
"""How long after a funding's settlement OKX may still show it, in real ms."""

CONFIRM: Final = 8
"""Where a candle's row says "1" when it is closed, "0" while it moves."""

LEVEL_FIELDS: Final = 2
"""A level begins with price and size; what OKX says beyond is not needed."""

_TIME: Final = re.compile(r"[0-9]{1,15}", re.ASCII)
"""Ms UTC, until the year 33658."""

TRADED: Final = re.compile(rf"([A-Z0-9]{{1,15}})-{QUOTE_CURRENCY}")
"""OKX's name of a spot pair that bots can trade."""


def inst_id_of(symbol: str) -> str:
    """Give OKX's name of a spot pair: BTC-USDT for BTC/USDT."""
    return symbol.replace("/", "-")


def swap_id_of(symbol: str) -> str:
    """Give OKX's name of a coin's perpetual in USDT: BTC-USDT-SWAP for BTC/USDT."""
    return f"{base_of(symbol)}-{QUOTE_CURRENCY}-SWAP"


def traded_rows(rows: Sequence[object]) -> dict[str, object]:
    """Give the rows of spot pairs in USDT by symbol; all others are left out."""
    named = ((TRADED.fullmatch(name), row) for name, row in rows_by_id(rows).items())
    return {f"{match[1]}/{QUOTE_CURRENCY}": row for match, row in named if match}


def listing_of(rows: Sequence[object]) -> tuple[dict[str, Instrument], dict[str, str]]:
    """Read the list of instruments: all whose steps can be read, and why the rest cannot."""
    listed: dict[str, Instrument] = {}
    left_out: dict[str, str] = {}
    for symbol, row in traded_rows(rows).items():
        try:
            listed[symbol] = instrument_of(symbol, row)
        except VenueUnavailable as error:
            left_out[symbol] = str(error)
    return listed, left_out


def instrument_of(symbol: str, row: object) -> Instrument:
    """Read tick (`tickSz`), lot (`lotSz`), minimum (`minSz`) and `state` of an instrument.

    Of OKX's states (live, suspend, preopen, test) only the first lets orders trade.

    Raises:
        VenueUnavailable: A step is missing.
    """
    fields = _mapping(row, symbol)
    return Instrument(
        symbol=symbol,
        tick=Price(_positive(fields, "tickSz", symbol)),
        lot=Quantity(_positive(fields, "lotSz", symbol)),
        minimum=Quantity(_positive(fields, "minSz", symbol)),
        live=fields.get("state") == "live",
    )


def quote_of(
    symbol: str, row: object, now: ClockReading, wall_ms: int, source: str = "rest"
) -> Quote:
    """Read a ticker's row.

    Args:
        symbol: Whose row it is.
        row: OKX's ticker.
        now: The venue's clock.
        wall_ms: Wall time of the row's arrival.
        source: "rest" or "stream".

    Raises:
        VenueUnavailable: A price or its time is missing, not positive, or stamped in the
            future: such a price would look fresh for as long as it is ahead.
    """
    fields = _mapping(row, symbol)
    received_ms = now.venue_at(wall_ms)
    exchange_ms = _past_time(fields, symbol, received_ms, now.scaled_ms(CLOCK_SLACK_MS))
    return Quote(
        symbol=symbol,
        bid=Price(_positive(fields, "bidPx", symbol)),
        ask=Price(_positive(fields, "askPx", symbol)),
        last=Price(_positive(fields, "last", symbol)),
        volume_24h=Quantity(_not_negative(fields.get("vol24h"), "vol24h", symbol)),
        exchange_ms=exchange_ms,
        received_ms=received_ms,
        source=source,
    )


def book_of(symbol: str, row: object, now: ClockReading, wall_ms: int) -> Book:
    """Read the row of an order book: levels `[price, size, "0", orders]`, best first.

    Raises:
        VenueUnavailable: A level is unreadable, a side is out of order, the best bid is not below
            the best ask, or the book is stamped in the future.
    """
    fields = _mapping(row, symbol)
    received_ms = now.venue_at(wall_ms)
    made_ms = _past_time(fields, symbol, received_ms, now.scaled_ms(CLOCK_SLACK_MS))
    bids, asks = (_levels(fields.get(side), side, symbol) for side in ("bids", "asks"))
    falls = all(one.price > next_.price for one, next_ in pairwise(bids))
    rises = all(one.price < next_.price for one, next_ in pairwise(asks))
    if not (falls and rises):
        raise unusable(symbol, "the levels of its book are out of order")
    book = Book(symbol=symbol, bids=bids, asks=asks, exchange_ms=made_ms, received_ms=received_ms)
    if book.is_crossed:
        raise unusable(symbol, f"its book is crossed: {bids[0].price} bid, {asks[0].price} asked")
    return book


def _levels(rows: object, side: str, symbol: str) -> tuple[Level, ...]:
    """Read one side; levels of size 0 are none."""
    if not isinstance(rows, list):
        raise unusable(symbol, f"its book has no {side}")
    read = [_level(row, symbol) for row in rows]
    return tuple(level for level in read if level.quantity)


def _level(row: object, symbol: str) -> Level:
    if not isinstance(row, list) or len(row) < LEVEL_FIELDS:
        raise unusable(symbol, "a level of its book is incomplete")
    price = Price.exactly(_above_zero(row[0], "a level's price", symbol))
    return Level(price, Quantity.exactly(_not_negative(row[1], "a level's size", symbol)))


def perpetual_of(
    symbol: str, funding: object, interest: object, now: ClockReading, wall_ms: int
) -> Perpetual:
    """Read the rows of a perpetual's funding rate and of its open interest.

    OKX's `fundingRate` is the one to be settled at `fundingTime`; `nextFundingTime` is the
    settlement after it. Open interest is read in coins (`oiCcy`).

    Raises:
        VenueUnavailable: A figure is missing, its settlement is long past, or the open
            interest is stamped in the future.
    """
    rates, held = _mapping(funding, symbol), _mapping(interest, symbol)
    received_ms = now.venue_at(wall_ms)
    _past_time(held, symbol, received_ms, now.scaled_ms(CLOCK_SLACK_MS))
    settled_ms = _time(rates.get("fundingTime"), symbol)
    if received_ms - settled_ms > now.scaled_ms(SETTLED_SLACK_MS):
        raise unusable(symbol, f"its funding was settled {received_ms - settled_ms} ms ago")
    return Perpetual(
        funding_rate=_signed(rates.get("fundingRate"), "fundingRate", symbol),
        next_funding_ms=settled_ms,
        open_interest=Quantity(_not_negative(held.get("oiCcy"), "oiCcy", symbol)),
    )


def rows_by_id(rows: Sequence[object]) -> dict[str, object]:
    """Index rows by `instId`; what has none belongs to nobody and is left out."""
    named = ((row.get("instId"), row) for row in rows if isinstance(row, dict))
    return {name: row for name, row in named if isinstance(name, str)}


def closed_candles(
    symbol: str, rows: Sequence[object], end_ms: int, bar: Bar = Bar.M5
) -> list[Candle]:
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
        if fields[CONFIRM] == "1" and _time(fields[0], symbol) + bar.length_ms <= end_ms
    ]
    _check_consecutive(symbol, closed, bar)
    return closed


def _check_consecutive(symbol: str, candles: Sequence[Candle], bar: Bar) -> None:
    for before, after in pairwise(candles):
        if after.open_ms - before.open_ms != bar.length_ms:
            raise unusable(
                symbol, f"the candle at {after.open_ms} does not follow the one at {before.open_ms}"
            )


def _candle(fields: Sequence[object], symbol: str) -> Candle:
    open_, high, low, close = (
        Price(_above_zero(value, "a candle's price", symbol)) for value in fields[1:5]
    )
    if not low <= min(open_, close) <= max(open_, close) <= high:
        raise unusable(symbol, f"the candle at {fields[0]} has its high or low inside its body")
    return Candle(
        open_ms=_time(fields[0], symbol),
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=Quantity(_not_negative(fields[5], "a candle's volume", symbol)),
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
    return _above_zero(fields.get(name), name, symbol)


def _above_zero(value: object, what: str, symbol: str) -> Decimal:
    number = _not_negative(value, what, symbol)
    if number == 0:
        raise unusable(symbol, f"{what} is 0")
    return number


def _not_negative(value: object, what: str, symbol: str) -> Decimal:
    number = _signed(value, what, symbol)
    if number < 0:
        raise unusable(symbol, f"{what} is {value}")
    return number


def _signed(value: object, what: str, symbol: str) -> Decimal:
    if not isinstance(value, str) or not value or not value.isascii():
        raise unusable(symbol, f"{what} is {value!r} where OKX sends a number as text")
    try:
        return decimal_from(value, what)
    except InputError as error:
        raise unusable(symbol, str(error).rstrip(".")) from error


def _past_time(fields: Mapping[str, object], symbol: str, received_ms: int, slack_ms: int) -> int:
    """Read when a row was made (`ts`), which cannot be after it arrived; all in venue ms."""
    made_ms = _time(fields.get("ts"), symbol)
    if made_ms - received_ms > slack_ms:
        raise unusable(symbol, f"it is stamped {made_ms - received_ms} ms in the future")
    return made_ms


def _time(value: object, symbol: str) -> int:
    """Read a time in ms UTC."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise unusable(symbol, f"its time is {value!r}")
    return int(value)
