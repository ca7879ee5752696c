"""What is wrong with candles, row by row, and which are missing."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from oxbot.candles.rows import Row, shape_fault, value_fault
from oxbot.candles.times import iso

SHOWN: Final = 10
"""So many faults of a file are told one by one."""


class Kind(StrEnum):
    """Kinds of faults."""

    UNREADABLE = "unreadable"
    IMPOSSIBLE = "impossible"
    OFF_GRID = "off grid"
    DUPLICATE = "duplicate"
    OUT_OF_ORDER = "out of order"


@dataclass(frozen=True, slots=True)
class Fault:
    """One broken row.

    Attributes:
        place: Its line (of a text) or its row (of a Parquet file), from 1.
        kind: What kind of fault.
        what: What is wrong, without a full stop.
    """

    place: int
    kind: Kind
    what: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Candles that are not there.

    Attributes:
        from_ms: Open time of the first missing one, ms UTC.
        to_ms: Open time of the next that is there, ms UTC.
        missing: How many are missing.
        asked: Whether whoever gave the candles was asked for these and had none.
    """

    from_ms: int
    to_ms: int
    missing: int
    asked: bool = True


class RowChecker:
    """Looks at rows in their order; each is judged by the newest good one before it.

    Args:
        length_ms: Length of a candle.
    """

    def __init__(self, length_ms: int) -> None:
        self._length_ms = length_ms
        self._newest_ms: int | None = None

    def fault(self, place: int, row: Row) -> Fault | None:
        """Give what is wrong with a row, or None."""
        impossible = shape_fault(row) or value_fault(row)
        if impossible:
            return Fault(place, Kind.IMPOSSIBLE, impossible)
        if row.open_ms <= 0 or row.open_ms % self._length_ms:
            what = f"{row.open_ms} ({iso(row.open_ms)}) is not the open time of a candle"
            return Fault(place, Kind.OFF_GRID, what)
        return self._disorder(place, row.open_ms)

    def _disorder(self, place: int, open_ms: int) -> Fault | None:
        newest_ms, self._newest_ms = self._newest_ms, max(open_ms, self._newest_ms or 0)
        if newest_ms is None or open_ms > newest_ms:
            return None
        if open_ms == newest_ms:
            return Fault(place, Kind.DUPLICATE, f"the candle of {iso(open_ms)} stands there twice")
        what = f"the candle of {iso(open_ms)} comes after the one of {iso(newest_ms)}"
        return Fault(place, Kind.OUT_OF_ORDER, what)


def told(name: str, word: str, faults: list[Fault]) -> str:
    """Tell a file's faults, one a line.

    Args:
        name: The file's.
        word: What its places are: line or row.
        faults: At least one.
    """
    lines = [f"{name}, {word} {fault.place}: {fault.what}." for fault in faults[:SHOWN]]
    if len(faults) > SHOWN:
        lines.append(f"{name}: and {len(faults) - SHOWN:,} more.")
    return "\n".join(lines)
