"""The candles of one symbol in memory: columns of exact numbers, and what they are."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from oxbot.candles.faults import Fault, Gap, RowChecker
from oxbot.candles.names import length_of
from oxbot.candles.rows import SCALE, Row
from oxbot.candles.spans import Span, holds

NUMBER: Final = pa.decimal128(38, SCALE)
"""A price or a volume: 18 digits behind the point, 20 before it, no float anywhere."""

SCHEMA: Final = pa.schema(
    [
        pa.field("open_ms", pa.int64(), nullable=False),
        *(pa.field(name, NUMBER, nullable=False) for name in Row._fields[1:]),
    ]
)

_BATCH: Final = 10_000


@dataclass(frozen=True, slots=True)
class Series:
    """Candles of one symbol, one length and one venue.

    Attributes:
        venue: Where they were traded: okx, okx-simulated, imported.
        symbol: Such as BTC/USDT.
        bar: Their length: 1m, 5m, 1h or 4h.
        covered: For which times the venue was asked; what is missing in there it does not have.
        table: The candles, with the columns of SCHEMA.
    """

    venue: str
    symbol: str
    bar: str
    covered: tuple[Span, ...]
    table: pa.Table

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def length_ms(self) -> int:
        """Length of a candle in ms."""
        return length_of(self.bar)

    @property
    def span(self) -> Span | None:
        """From the first candle's open to the last one's end; None without candles."""
        if not len(self):
            return None
        times = open_times(self.table)
        return Span(int(times.min()), int(times.max()) + self.length_ms)

    def rows(self) -> Iterator[Row]:
        """Give the candles, in the order of the file."""
        for batch in self.table.to_batches(max_chunksize=_BATCH):
            columns = (batch.column(name).to_pylist() for name in Row._fields)
            yield from map(Row._make, zip(*columns, strict=True))

    def first_at(self, at_ms: int) -> int | None:
        """Give the open time of the first candle at a time or later, in ms; None without one."""
        times = open_times(self.table)
        index = int(np.searchsorted(times, at_ms))
        return int(times[index]) if index < len(times) else None

    def gaps(self) -> list[Gap]:
        """Give the stretches without candles between the first and the last."""
        times = np.unique(open_times(self.table))
        steps = np.diff(times)
        return [
            self._gap(int(times[index]) + self.length_ms, int(times[index + 1]))
            for index in np.flatnonzero(steps > self.length_ms).tolist()
        ]

    def _gap(self, from_ms: int, to_ms: int) -> Gap:
        missing = -(-(to_ms - from_ms) // self.length_ms)
        return Gap(from_ms, to_ms, missing, asked=holds(self.covered, Span(from_ms, to_ms)))

    def faults(self) -> list[Fault]:
        """Give what is wrong with each row, by number from 1."""
        table = self.table
        suspects = _disordered(open_times(table), self.length_ms) | _impossible(table)
        if not suspects.any():
            return []
        checker = RowChecker(self.length_ms)
        numbered = enumerate(self.rows(), start=1)
        return [fault for place, row in numbered if (fault := checker.fault(place, row))]


def table_of(rows: Iterable[Row]) -> pa.Table:
    """Make columns of candles, in their order.

    Args:
        rows: Their numbers have at most 18 digits behind the point and before it.
    """
    builder = TableBuilder()
    for row in rows:
        builder.add(row)
    return builder.table()


class TableBuilder:
    """Takes candles one by one and keeps them as columns, which need far less memory."""

    def __init__(self) -> None:
        self._batches: list[pa.RecordBatch] = []
        self._rows: list[Row] = []

    def add(self, row: Row) -> None:
        """Take one candle."""
        self._rows.append(row)
        if len(self._rows) == _BATCH:
            self._pack()

    def table(self) -> pa.Table:
        """Give all that were taken."""
        self._pack()
        return pa.Table.from_batches(self._batches, SCHEMA)

    def _pack(self) -> None:
        if self._rows:
            columns = zip(*self._rows, strict=True)
            arrays = [
                pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)
            ]
            self._batches.append(pa.RecordBatch.from_arrays(arrays, schema=SCHEMA))
            self._rows = []


def joined(tables: Iterable[pa.Table]) -> pa.Table:
    """Put tables together, sorted by time."""
    return pa.concat_tables([SCHEMA.empty_table(), *tables]).sort_by("open_ms")


def open_times(table: pa.Table) -> NDArray[np.int64]:
    """Give the open times in ms UTC, in the order of the table."""
    times: NDArray[np.int64] = table.column("open_ms").to_numpy()
    return times


def _disordered(times: NDArray[np.int64], length_ms: int) -> NDArray[np.bool_]:
    """Mark the rows that are off the grid, or not later than the one before them."""
    wrong: NDArray[np.bool_] = (times <= 0) | (times % length_ms != 0)
    wrong[1:] |= np.diff(times) <= 0
    return wrong


def _impossible(table: pa.Table) -> NDArray[np.bool_]:
    """Mark the rows whose prices or volume cannot be."""
    opened, high, low, close, volume = (table.column(name) for name in Row._fields[1:])
    highest = pc.max_element_wise(opened, close)
    lowest = pc.min_element_wise(opened, close)
    zero = pa.scalar(0, NUMBER)
    found = [
        pc.less(high, highest),
        pc.greater(low, lowest),
        pc.less_equal(low, zero),
        pc.less(volume, zero),
    ]
    wrong: NDArray[np.bool_] = np.logical_or.reduce([column.to_numpy() for column in found])
    return wrong
