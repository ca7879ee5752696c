"""Candle files: one Parquet file for each symbol and candle length, old or new, never half.

Columns: `open_ms` (int64, ms UTC), then `open`, `high`, `low`, `close` (quote currency) and
`volume` (coins) as decimal128(38, 18): every digit as it came, in rows sorted by time. Under the
key `oxbot` the file's metadata holds a JSON object: `format` (1), `venue`, `symbol`, `bar`, and
`covered`, the stretches [from, to) in ms for which the venue was asked.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from oxbot.candles.faults import told
from oxbot.candles.names import BAR_MS, file_name
from oxbot.candles.series import SCHEMA, Series
from oxbot.candles.spans import Span, united
from oxbot.domain.errors import Conflict, InputError, SetupError

FORMAT: Final = 1
_KEY: Final = b"oxbot"


def read_series(path: Path) -> Series:
    """Read a candle file that can be relied on.

    Raises:
        InputError: As `load_series`, or a row is broken; it is named.
    """
    series = load_series(path)
    faults = series.faults()
    if faults:
        raise InputError(f"{told(path.name, 'row', faults)}\nFetch or import it again.")
    return series


def load_series(path: Path) -> Series:
    """Read a candle file without looking at its rows.

    Raises:
        InputError: It is no candle file, a broken one, or not the one that its name says.
    """
    try:
        with pq.ParquetFile(path) as file:
            table = file.read()
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path.name} cannot be read: {error}. Fetch it again.") from error
    metadata = table.schema.metadata or {}
    if _KEY not in metadata or not table.schema.equals(SCHEMA) or _has_holes(table):
        raise InputError(
            f"{path.name} is not a candle file of 0xBot: its columns or its metadata are others. "
            "Write its candles to a CSV file and use `oxbot candles import`."
        )
    series = _described(path, metadata[_KEY], table.replace_schema_metadata(None))
    if path.name != file_name(series.symbol, series.bar):
        raise InputError(
            f"{path.name} holds {series.bar} candles of {series.symbol}: give it its name back, "
            f"{file_name(series.symbol, series.bar)}."
        )
    return series


def write_series(folder: Path, series: Series) -> Path:
    """Write a candle file in the place of the one that may be there; gives its path.

    After a crash, the file is the old one or the new one.

    Raises:
        InputError: A row is broken; nothing is written.
        SetupError: It cannot be written.
    """
    path = folder / file_name(series.symbol, series.bar)
    faults = series.faults()
    if faults:
        raise InputError(f"{told(path.name, 'row', faults)}\nIt was not written.")
    table = series.table.replace_schema_metadata({_KEY: _description(series)})
    draft = path.with_name(f".{path.name}.new")
    try:
        with draft.open("wb") as file:
            pq.write_table(table, file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise SetupError(f"{path} cannot be written: {error.strerror or error}.") from error
    return path


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Make a folder and keep other writers of candle files out of it.

    Raises:
        Conflict: Another one is writing there.
        SetupError: The folder cannot be made or opened.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise SetupError(f"{folder} cannot be used: {error.strerror}.") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise Conflict(f"Another command is writing candles to {folder}: wait for it.") from error
    finally:
        os.close(handle)


def _has_holes(table: pa.Table) -> bool:
    return any(column.null_count for column in table.columns)


def _description(series: Series) -> bytes:
    content = {
        "format": FORMAT,
        "venue": series.venue,
        "symbol": series.symbol,
        "bar": series.bar,
        "covered": series.covered,
    }
    return json.dumps(content).encode()


def _described(path: Path, description: bytes, table: pa.Table) -> Series:
    """Make the series of what the metadata says."""
    try:
        content = json.loads(description)
        form, bar = content["format"], str(content["bar"])
        covered = united(Span(int(start), int(end)) for start, end in content["covered"])
        series = Series(str(content["venue"]), str(content["symbol"]), bar, covered, table)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path.name} has unreadable metadata ({error!r}). Fetch or import it again."
        ) from error
    if form != FORMAT or bar not in BAR_MS:
        raise InputError(
            f"{path.name} is of format {form} with {bar} candles; this version reads format "
            f"{FORMAT} with {', '.join(BAR_MS)}. A newer version of 0xBot may read it."
        )
    return series
