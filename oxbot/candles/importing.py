"""Text files into candle files: all of them, or nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from oxbot.candles.check import IMPORTED, read_text
from oxbot.candles.faults import told
from oxbot.candles.names import file_name, length_of, named
from oxbot.candles.parquet import sole_writer, write_series
from oxbot.candles.series import Series, joined
from oxbot.candles.spans import Span
from oxbot.candles.texts import TEXTS
from oxbot.candles.times import iso
from oxbot.domain.errors import Conflict, InputError


@dataclass(frozen=True, slots=True)
class Imported:
    """One candle file that was made.

    Attributes:
        path: Where it is.
        series: What it holds.
        sources: The text files that it was made of, in the order of time.
    """

    path: Path
    series: Series
    sources: tuple[Path, ...]


_Known = tuple[str, str]
"""Symbol and candle length."""


def import_files(
    paths: Sequence[Path],
    folder: Path,
    *,
    symbol: str | None = None,
    bar: str | None = None,
    replacing: bool = False,
    tell: Callable[[Path], None] = lambda _: None,
) -> list[Imported]:
    """Read text files and write one candle file for each symbol and candle length in them.

    Args:
        paths: The texts; several of one symbol are put together in the order of time.
        folder: Where the candle files go.
        symbol: Whose candles they all are; None to take it from each file's name.
        bar: The length of their candles; None as for the symbol.
        replacing: Put the new file in the place of an old one.
        tell: Called with each file when it was read.

    Raises:
        InputError: A file is broken (with its lines), tells no symbol or candle length, or two
            files hold the same time; nothing was written.
        Conflict: A candle file is there already, or another command writes to the folder.
    """
    parts: dict[_Known, list[Path]] = {}
    for path in dict.fromkeys(paths):
        parts.setdefault(_known(path, symbol, bar), []).append(path)
    targets = [folder / file_name(*known) for known in parts]
    _check_free(targets, replacing=replacing)
    faults: list[str] = []
    read = [[_read(path, known, faults, tell) for path in found] for known, found in parts.items()]
    if faults:
        raise InputError("\n".join([*faults, "Nothing was written."]))
    made = [_put_together(found) for found in read]
    with sole_writer(folder):
        _check_free(targets, replacing=replacing)
        return [Imported(write_series(folder, series), series, sources) for series, sources in made]


def _known(path: Path, symbol: str | None, bar: str | None) -> _Known:
    """Give the symbol and the candle length of a text."""
    if not path.name.endswith(TEXTS):
        raise InputError(f"{path.name} is no {', '.join(TEXTS)} file; those can be imported.")
    if bar is not None:
        length_of(bar)
    told_symbol, told_bar = named(path) or (None, None)
    whose, long = symbol or told_symbol, bar or told_bar
    if whose is None or long is None:
        raise InputError(
            f"{path.name} does not tell whose candles it holds and how long they are: name it "
            "as BTC-USDT-5m.csv, or say it with --symbol and --bar."
        )
    return whose, long


def _check_free(targets: Sequence[Path], *, replacing: bool) -> None:
    """Refuse to replace a candle file unasked.

    Raises:
        Conflict: One is there.
    """
    there = [str(path) for path in targets if path.exists()]
    if there and not replacing:
        raise Conflict(
            f"{', '.join(there)}: there already, and two sources are not mixed in one file. Choose "
            "another folder, or have it replaced with --replace. Nothing was written."
        )


def _read(
    path: Path, known: _Known, faults: list[str], tell: Callable[[Path], None]
) -> tuple[Path, Series]:
    """Read one text; what is wrong with it joins the faults."""
    try:
        series, broken = read_text(path, *known)
    except InputError as error:
        faults.append(str(error))
        series, broken = Series(IMPORTED, *known, (), joined([])), []
    else:
        if broken:
            faults.append(told(path.name, "line", broken))
        elif not len(series):
            faults.append(f"{path.name} has no candles. Leave it out or fetch it again.")
    tell(path)
    return path, series


def _put_together(parts: Sequence[tuple[Path, Series]]) -> tuple[Series, tuple[Path, ...]]:
    """Join the texts of one symbol in the order of time.

    Raises:
        InputError: Two of them hold the same time.
    """
    ordered = sorted(
        ((span, path) for path, series in parts if (span := series.span)),
        key=lambda spanned: spanned[0],
    )
    for (before, first), (after, second) in pairwise(ordered):
        if after.from_ms < before.to_ms:
            raise InputError(
                f"{second.name} begins at {iso(after.from_ms)}, but {first.name} goes on until "
                f"{iso(before.to_ms)}: the same time stands in both. Leave one of them out. "
                "Nothing was written."
            )
    covered = Span(ordered[0][0].from_ms, ordered[-1][0].to_ms)
    table = joined(series.table for _, series in parts)
    series = replace(parts[0][1], covered=(covered,), table=table)
    return series, tuple(path for _, path in ordered)
