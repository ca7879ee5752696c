"""A market out of candle files: one CSV per coin, plain or gzipped.

A folder holds files named SYMBOL-USDT-<timeframe>.csv[.gz] with the columns ts (open time,
ms UTC), open, high, low, close (USDT) and volume (coins). The market covers the time that
all of them share. A file with a fault stops the start: a simulated price that quietly jumps
a gap would make every result of a run worthless.
"""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from pathlib import Path

import numpy as np

from oxbot.domain.errors import InputError
from oxbot.simulator.candles import Bars
from oxbot.simulator.instruments import INSTRUMENTS, Instrument
from oxbot.simulator.timeframes import DAY_MS, TIMEFRAMES
from oxbot.simulator.venue_time import iso

COLUMNS = ("ts", "open", "high", "low", "close", "volume")

BASE_TIMEFRAMES = ("1m", "5m")
"""What the candles of a file may be; longer ones are made of them."""

LOOK_BACK_MS = 26 * DAY_MS
"""The clock starts so long after the first candle: 150 candles of four hours have closed then."""


@dataclass(frozen=True, slots=True)
class CandleFiles:
    """The market of one folder; made by `read_folder`.

    Attributes:
        name: Which market this is; files that have grown keep it.
        symbols: The instIds that have a file.
        step_ms: Length of a base candle.
        first_ms: Open time of the first candle that all files have, ms UTC.
        end_ms: When the last candle that all files have ends, ms UTC.
        series: Each symbol's candles in that time.
    """

    name: str
    symbols: tuple[str, ...]
    step_ms: int
    first_ms: int
    end_ms: int
    series: dict[str, Bars]

    @property
    def default_start_ms(self) -> int:
        """Ten days after the first candle, in a shorter market at its middle; ms UTC."""
        half = (self.end_ms - self.first_ms) // 2
        return self.first_ms + min(LOOK_BACK_MS, half - half % self.step_ms)

    def bars(self, symbol: str, from_ms: int, to_ms: int) -> Bars:
        """The candles that open in [from_ms, to_ms), as far as there are any; ms UTC."""
        return _cut(self.series[symbol], from_ms, to_ms)


def read_folder(folder: Path, timeframe: str) -> CandleFiles:
    """Read every file of a timeframe in a folder.

    Raises:
        InputError: No such folder or file, a fault in a file (with its name, the line and
            what is wrong), or files that have no time in common.
    """
    if timeframe not in BASE_TIMEFRAMES:
        raise InputError(f"Candle files are read as 1m or 5m, not {timeframe!r}.")
    found = {
        path.name.partition(f"-{timeframe}.csv")[0]: path for path in _files(folder, timeframe)
    }
    step_ms = TIMEFRAMES[timeframe].length_ms
    series = {
        symbol: _read_file(path, _listed(symbol, path), step_ms) for symbol, path in found.items()
    }
    first_ms = max(bars.first_ms for bars in series.values())
    end_ms = min(bars.ts(len(bars)) for bars in series.values())
    if end_ms - first_ms < 2 * step_ms:
        raise InputError(f"The candle files in {folder} have no time in common: use others.")
    shared = {symbol: _cut(bars, first_ms, end_ms) for symbol, bars in series.items()}
    name = f"{timeframe} candle files from {iso(first_ms)}, {_print(shared)}"
    return CandleFiles(name, tuple(shared), step_ms, first_ms, end_ms, shared)


def _files(folder: Path, timeframe: str) -> list[Path]:
    """The files of the timeframe, by name."""
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}: --candles names one with candle files.")
    suffixes = (f"-{timeframe}.csv", f"-{timeframe}.csv.gz")
    paths = sorted(path for path in folder.iterdir() if path.name.endswith(suffixes))
    if not paths:
        raise InputError(
            f"There is no file of {timeframe} candles in {folder}: they are named "
            f"BTC-USDT-{timeframe}.csv or BTC-USDT-{timeframe}.csv.gz."
        )
    return paths


def _listed(symbol: str, path: Path) -> Instrument:
    if symbol not in INSTRUMENTS:
        raise InputError(
            f"{path.name}: {symbol} is not listed here; the simulator knows "
            f"{', '.join(INSTRUMENTS)}. Move the file out of the folder."
        )
    return INSTRUMENTS[symbol]


def _read_file(path: Path, listed: Instrument, step_ms: int) -> Bars:
    """One file's candles, checked line by line."""
    rows: list[list[int]] = []
    first_ms = 0
    try:
        for line, cells in _lines(path):
            ts, row = _row(path, line, cells, listed)
            if not rows:
                first_ms = ts
                _check_aligned(path, line, ts, step_ms)
            _check_order(path, line, ts, first_ms + len(rows) * step_ms)
            rows.append(row)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path.name} cannot be read: {error}. Fetch it again.") from error
    if not rows:
        raise InputError(f"{path.name} has no candles, only a header. Remove it or fetch it again.")
    return Bars(first_ms, step_ms, np.array(rows, dtype=np.int64))


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each candle, in the order of COLUMNS."""
    unpack = gzip.open if path.suffix == ".gz" else open
    with unpack(path, "rt", encoding="utf-8", newline="") as text:
        reader = csv.reader(text)
        header = [cell.strip() for cell in next(reader, [])]
        missing = [column for column in COLUMNS if column not in header]
        if missing:
            raise InputError(
                f"{path.name}, line 1: column {missing[0]} is missing; the header must have "
                f"{', '.join(COLUMNS)}."
            )
        places = [header.index(column) for column in COLUMNS]
        for cells in reader:
            if len(cells) != len(header):
                raise _fault(path, reader.line_num, f"{len(cells)} cells, not {len(header)}")
            yield reader.line_num, [cells[place] for place in places]


def _row(path: Path, line: int, cells: list[str], listed: Instrument) -> tuple[int, list[int]]:
    """Open time in ms, and the candle in ticks and lots."""
    try:
        ts = int(cells[0])
        opened, high, low, close, volume = (Decimal(cell) for cell in cells[1:])
        prices = [_steps(price, listed.tick) for price in (opened, high, low, close)]
        lots = _steps(volume, listed.lot)
    except (ValueError, InvalidOperation, OverflowError) as error:
        raise _fault(path, line, f"a value is not a number: {', '.join(cells)}") from error
    if high < low:
        raise _fault(path, line, f"high {high} is below low {low}")
    if not low <= min(opened, close) <= max(opened, close) <= high:
        raise _fault(path, line, f"open {opened} or close {close} lies outside {low} to {high}")
    if prices[2] < 1 or lots < 0:
        raise _fault(path, line, "a price below one tick, or a negative volume")
    return ts, [*prices, lots]


def _steps(value: Decimal, step: Decimal) -> int:
    """A price or volume in whole ticks or lots, halves to even.

    Raises:
        OverflowError: Infinite, or beyond what 64 bits hold.
    """
    steps = int((value / step).to_integral_value())
    if abs(steps) > np.iinfo(np.int64).max // 1000:
        raise OverflowError(f"{value} is out of range")
    return steps


def _check_aligned(path: Path, line: int, ts: int, step_ms: int) -> None:
    if ts <= 0 or ts % step_ms:
        raise _fault(path, line, f"{ts} is not the open time of a candle in ms")


def _check_order(path: Path, line: int, ts: int, expected: int) -> None:
    """Each candle opens where the one before it ends."""
    if ts == expected:
        return
    if ts > expected:
        raise _fault(path, line, f"a gap: {iso(expected)} is missing")
    raise _fault(path, line, f"{ts} is a duplicate or out of order; expected {expected}")


def _fault(path: Path, line: int, what: str) -> InputError:
    return InputError(f"{path.name}, line {line}: {what}. Correct the file or fetch it again.")


def _cut(bars: Bars, from_ms: int, to_ms: int) -> Bars:
    """The candles that open in [from_ms, to_ms)."""
    begin = max(0, -(-(from_ms - bars.first_ms) // bars.step_ms))
    end = max(begin, -(-(to_ms - bars.first_ms) // bars.step_ms))
    return Bars(bars.ts(begin), bars.step_ms, bars.rows[begin:end])


def _print(series: dict[str, Bars]) -> str:
    """A short fingerprint of the first candles: files that grew are the same market."""
    digest = sha256()
    for symbol, bars in series.items():
        digest.update(symbol.encode())
        digest.update(bars.rows[:1000].tobytes())
    return digest.hexdigest()[:12]
