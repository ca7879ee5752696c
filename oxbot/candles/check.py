"""What is wrong with candle files: gaps, duplicates, impossible rows; and what is in them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from oxbot.candles.csv_files import csv_rows
from oxbot.candles.faults import Fault, Gap, Kind, RowChecker
from oxbot.candles.names import SUFFIX, length_of, named
from oxbot.candles.parquet import load_series
from oxbot.candles.series import Series, TableBuilder
from oxbot.candles.spans import Span
from oxbot.candles.texts import TEXTS
from oxbot.domain.errors import InputError

IMPORTED: Final = "imported"
"""The venue of candles whose origin nobody has stated."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a look at one file found.

    Attributes:
        path: The file.
        symbol: Such as BTC/USDT; empty where the file could not be read.
        bar: Length of its candles.
        rows: How many rows it has, the broken ones included.
        span: From the first good candle's open to the last one's end.
        gaps: Stretches without candles.
        faults: Broken rows.
        unreadable: Why the file as a whole cannot be read; empty if it can.
    """

    path: Path
    symbol: str = ""
    bar: str = ""
    rows: int = 0
    span: Span | None = None
    gaps: Sequence[Gap] = ()
    faults: Sequence[Fault] = ()
    unreadable: str = ""

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.gaps or self.faults or self.unreadable)

    @property
    def missing(self) -> int:
        """How many candles are missing in the gaps."""
        return sum(gap.missing for gap in self.gaps)

    def count(self, kind: Kind) -> int:
        """Count the faults of a kind."""
        return Counter(fault.kind for fault in self.faults)[kind]


def candle_files(places: Sequence[Path]) -> list[Path]:
    """Give the candle files that files and folders name, in order.

    Raises:
        InputError: A place does not exist, or a folder has none.
    """
    return [path for place in places for path in _in_place(place)]


def check_file(path: Path) -> Report:
    """Look at a Parquet file of these tools, or at a text that could be imported."""
    try:
        return _check_parquet(path) if path.suffix == SUFFIX else _check_text(path)
    except InputError as error:
        return Report(path, unreadable=str(error))


def read_text(path: Path, symbol: str, bar: str) -> tuple[Series, list[Fault]]:
    """Read a text file; gives its good candles and its broken lines.

    Raises:
        InputError: The file cannot be read to its end, or a column is missing.
    """
    checker = RowChecker(length_of(bar))
    builder, faults = TableBuilder(), []
    for line, row in csv_rows(path):
        if isinstance(row, str):
            faults.append(Fault(line, Kind.UNREADABLE, row))
        elif fault := checker.fault(line, row):
            faults.append(fault)
        else:
            builder.add(row)
    series = Series(IMPORTED, symbol, bar, (), builder.table())
    return replace(series, covered=(series.span,) if series.span else ()), faults


def _in_place(place: Path) -> list[Path]:
    if not place.exists():
        raise InputError(f"There is no {place}.")
    if not place.is_dir():
        return [place]
    found = sorted(path for path in place.iterdir() if _is_candle_file(path))
    if not found:
        raise InputError(
            f"There is no candle file in {place}: they are named BTC-USDT-5m{SUFFIX} "
            f"(or {', '.join(TEXTS)})."
        )
    return found


def _is_candle_file(path: Path) -> bool:
    return path.name.endswith((SUFFIX, *TEXTS)) and not path.name.startswith(".")


def _check_parquet(path: Path) -> Report:
    series = load_series(path)
    return _report(path, series, len(series), series.faults())


def _check_text(path: Path) -> Report:
    known = named(path)
    if known is None:
        raise InputError(
            f"{path.name} does not tell symbol and candle length; name it as BTC-USDT-5m.csv."
        )
    series, faults = read_text(path, *known)
    return _report(path, series, len(series) + len(faults), faults)


def _report(path: Path, series: Series, rows: int, faults: list[Fault]) -> Report:
    # The span of broken times would say nothing.
    span = series.span if path.suffix != SUFFIX or not faults else None
    return Report(path, series.symbol, series.bar, rows, span, series.gaps(), faults)
