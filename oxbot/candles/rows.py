"""One candle as it stands in a file, and what makes it impossible."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from oxbot.candles.times import time_ms

SCALE: Final = 18
"""Digits behind the point that a candle file keeps; a number with more is refused."""

WHOLE_DIGITS: Final = 18
"""Digits before the point that are still a price or a volume."""

_NUMBER: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,3})?")


class Row(NamedTuple):
    """One candle: open time in ms UTC, prices in the quote currency, volume in coins."""

    open_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


def row_of(cells: Sequence[str]) -> Row:
    """Read the six cells of a candle: time, open, high, low, close, volume.

    Raises:
        ValueError: A cell is no time or no number; the message names it.
    """
    try:
        opened, high, low, close, volume = map(_number, cells[1:])
    except ValueError as error:
        raise ValueError(f"a value is not a number: {', '.join(cells)}") from error
    return Row(time_ms(cells[0]), opened, high, low, close, volume)


def shape_fault(row: Row) -> str | None:
    """Say which price cannot be where it is; None if all can."""
    if row.high < row.low:
        return f"high {row.high} is below low {row.low}"
    if not row.low <= min(row.open, row.close) <= max(row.open, row.close) <= row.high:
        return f"open {row.open} or close {row.close} lies outside {row.low} to {row.high}"
    return None


def value_fault(row: Row) -> str | None:
    """Say which value cannot be, or cannot be kept exactly; None if all can."""
    if row.low <= 0:
        return f"a price of {row.low}: prices are above 0"
    if row.volume < 0:
        return f"a negative volume, {row.volume}"
    fine = next((value for value in row[1:] if _exponent(value) < -SCALE), None)
    if fine is not None:
        return f"{fine} has more than {SCALE} digits behind the point"
    return None


def _number(text: str) -> Decimal:
    """Read a finite number as programs write it: no spaces inside, no underscores."""
    if not _NUMBER.fullmatch(text.strip()):
        raise ValueError(text)
    value = Decimal(text.strip())
    if value.adjusted() >= WHOLE_DIGITS:
        raise ValueError(text)
    return value


def _exponent(value: Decimal) -> int:
    """Give the power of ten of the last digit that is not a trailing zero."""
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent >= -SCALE:
        return exponent
    last = value.normalize().as_tuple().exponent
    return last if isinstance(last, int) else -SCALE - 1
