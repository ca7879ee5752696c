"""Candles out of text files, in the forms that people have.

With a header, the columns are found by name, in any order and among others; without one they
are taken as Binance's dumps have them: open time, open, high, low, close, volume, ....
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from oxbot.candles.rows import Row, row_of
from oxbot.candles.texts import numbered_cells
from oxbot.domain.errors import InputError

COLUMNS: Final = ("ts", "open", "high", "low", "close", "volume")

_OTHER_NAMES: Final = {
    "ts": ("open_time", "opentime", "open_ms", "timestamp", "time", "datetime", "date", "unix"),
    "open": ("open_price", "o"),
    "high": ("high_price", "h"),
    "low": ("low_price", "l"),
    "close": ("close_price", "c"),
    "volume": ("vol", "base_volume", "v"),
}
_VALUE: Final = re.compile(
    r"[+-]?[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ].*)?"
)
"""A number or a date, which no header has."""


@dataclass(frozen=True, slots=True)
class _Form:
    """Where the six columns stand, and how many cells a line has."""

    places: tuple[int, ...]
    width: int


def csv_rows(path: Path) -> Iterator[tuple[int, Row | str]]:
    """Read a text file line by line: its number, and the candle or what is wrong with it.

    Only the line itself is looked at: neither whether its prices are possible nor what stands
    before it.

    Raises:
        InputError: The file cannot be read to its end, or a column is missing in its header.
    """
    lines = numbered_cells(path)
    first = next(lines, (1, []))
    has_header = not any(_VALUE.fullmatch(cell.strip()) for cell in first[1])
    form = _named(path, *first) if has_header else _Form(tuple(range(len(COLUMNS))), len(first[1]))
    for line, cells in lines if has_header else chain([first], lines):
        yield line, _parsed(cells, form)


def _parsed(cells: list[str], form: _Form) -> Row | str:
    if len(cells) != form.width or form.width < len(COLUMNS):
        return f"{len(cells)} cells, not {max(form.width, len(COLUMNS))}"
    try:
        return row_of([cells[place] for place in form.places])
    except ValueError as error:
        return str(error)


def _named(path: Path, line: int, cells: list[str]) -> _Form:
    """Find the columns in a header."""
    header = [re.sub(r"[\s-]+", "_", cell.strip().lower()) for cell in cells]
    return _Form(tuple(_place(path, line, header, column) for column in COLUMNS), len(header))


def _place(path: Path, line: int, header: list[str], column: str) -> int:
    name = next((name for name in (column, *_OTHER_NAMES[column]) if name in header), None)
    if name is None:
        raise InputError(
            f"{path.name}, line {line}: column {column} is missing; the header must have "
            f"{', '.join(COLUMNS)}."
        )
    if header.count(name) > 1:
        raise InputError(f"{path.name}, line {line}: column {name} stands there twice.")
    return header.index(name)
