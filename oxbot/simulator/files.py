"""A market out of candle files: one per coin, Parquet or CSV.

A folder holds files named SYMBOL-USDT-<timeframe>.parquet, as `oxbot candles` writes them, or
.csv[.gz] with the columns ts (open time, ms UTC), open, high, low, close (USDT) and volume
(coins). The market covers the time that all of them share. A file with a fault stops the start:
a simulated price that quietly jumps a gap would make every result of a run worthless.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Final

import numpy as np

from oxbot.candles.csv_files import csv_rows
from oxbot.candles.names import SUFFIX
from oxbot.candles.rows import Row, shape_fault
from oxbot.domain.errors import InputError
from oxbot.simulator.candles import Bars
from oxbot.simulator.instruments import INSTRUMENTS, Instrument
from oxbot.simulator.timeframes import DAY_MS, TIMEFRAMES
from oxbot.simulator.venue_time import iso

ENDINGS: Final = (SUFFIX, ".csv", ".csv.gz")

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
    found = _files(folder, timeframe)
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


def _files(folder: Path, timeframe: str) -> dict[str, Path]:
    """The file of each symbol, by name."""
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}: --candles names one with candle files.")
    suffixes = tuple(f"-{timeframe}{ending}" for ending in ENDINGS)
    found: dict[str, Path] = {}
    for path in sorted(path for path in folder.iterdir() if path.name.endswith(suffixes)):
        symbol = path.name.partition(suffixes[0].removesuffix(SUFFIX))[0]
        if symbol in found:
            raise InputError(
                f"{found[symbol].name} and {path.name} are both {timeframe} candles of {symbol}: "
                "move one of them out of the folder."
            )
        found[symbol] = path
    if not found:
        raise InputError(
            f"There is no file of {timeframe} candles in {folder}: they are named "
            f"BTC-USDT-{timeframe}.csv or BTC-USDT-{timeframe}.csv.gz, or {SUFFIX} as "
            "`oxbot candles` writes them."
        )
    return found


def _listed(symbol: str, path: Path) -> Instrument:
    if symbol not in INSTRUMENTS:
        raise InputError(
            f"{path.name}: {symbol} is not listed here; the simulator knows "
            f"{', '.join(INSTRUMENTS)}. Move the file out of the folder."
        )
    return INSTRUMENTS[symbol]


def _read_file(path: Path, listed: Instrument, step_ms: int) -> Bars:
    """One file's candles, checked one by one."""
    rows: list[list[int]] = []
    first_ms = 0
    for place, row in _rows(path):
        if isinstance(row, str):
            raise _fault(path, place, row)
        counted = _counted(path, place, row, listed)
        if not rows:
            first_ms = row.open_ms
            _check_aligned(path, place, first_ms, step_ms)
        _check_order(path, place, row.open_ms, first_ms + len(rows) * step_ms)
        rows.append(counted)
    if not rows:
        raise InputError(f"{path.name} has no candles, only a header. Remove it or fetch it again.")
    return Bars(first_ms, step_ms, np.array(rows, dtype=np.int64))


def _rows(path: Path) -> Iterator[tuple[int, Row | str]]:
    """The number of each line or row, and the candle in it or what is wrong with it."""
    if path.suffix != SUFFIX:
        return csv_rows(path)
    from oxbot.candles.parquet import read_series  # noqa: PLC0415 - a generated market needs none

    return enumerate(read_series(path).rows(), start=1)


def _counted(path: Path, place: int, row: Row, listed: Instrument) -> list[int]:
    """The candle in ticks and lots."""
    try:
        prices = [_steps(price, listed.tick) for price in row[1:5]]
        lots = _steps(row.volume, listed.lot)
    except OverflowError as error:
        cells = ", ".join(map(str, row))
        raise _fault(path, place, f"a value is not a number: {cells}") from error
    if wrong := shape_fault(row):
        raise _fault(path, place, wrong)
    if prices[2] < 1 or lots < 0:
        raise _fault(path, place, "a price below one tick, or a negative volume")
    return [*prices, lots]


def _steps(value: Decimal, step: Decimal) -> int:
    """A price or volume in whole ticks or lots, halves to even.

    Raises:
        OverflowError: Beyond what 64 bits hold.
    """
    steps = int((value / step).to_integral_value())
    if abs(steps) > np.iinfo(np.int64).max // 1000:
        raise OverflowError(f"{value} is out of range")
    return steps


def _check_aligned(path: Path, place: int, ts: int, step_ms: int) -> None:
    if ts <= 0 or ts % step_ms:
        raise _fault(path, place, f"{ts} is not the open time of a candle in ms")


def _check_order(path: Path, place: int, ts: int, expected: int) -> None:
    """Each candle opens where the one before it ends."""
    if ts == expected:
        return
    if ts > expected:
        raise _fault(path, place, f"a gap: {iso(expected)} is missing")
    raise _fault(path, place, f"{ts} is a duplicate or out of order; expected {expected}")


def _fault(path: Path, place: int, what: str) -> InputError:
    word = "row" if path.suffix == SUFFIX else "line"
    return InputError(f"{path.name}, {word} {place}: {what}. Correct the file or fetch it again.")


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
