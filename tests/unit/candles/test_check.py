"""What a look at candle files finds: planted errors, each with its place."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from oxbot.candles.check import candle_files, check_file
from oxbot.candles.faults import Gap, Kind
from oxbot.candles.importing import import_files
from oxbot.candles.parquet import load_series
from oxbot.candles.series import SCHEMA, table_of
from oxbot.candles.spans import Span
from oxbot.domain.errors import InputError
from tests.unit.candles.texts import HEADER, M5, T0, line, write

PLANTED = {
    "not a number": (line(5, "100.5,101,x,100.7"), Kind.UNREADABLE, "a value is not a number"),
    "not a time": (f"x{line(5)}", Kind.UNREADABLE, "is not a time"),
    "too few cells": (line(5)[:-5], Kind.UNREADABLE, "5 cells, not 6"),
    "high below low": (line(5, "1,1,2,1"), Kind.IMPOSSIBLE, "high 1 is below low 2"),
    "close outside": (line(5, "2,3,1,4"), Kind.IMPOSSIBLE, "close 4 lies outside 1 to 3"),
    "open outside": (line(5, "0.5,3,1,2"), Kind.IMPOSSIBLE, "open 0.5 or close 2 lies outside"),
    "a price of 0": (line(5, "1,1,0,1"), Kind.IMPOSSIBLE, "a price of 0"),
    "a price below 0": (line(5, "1,1,-1,1"), Kind.IMPOSSIBLE, "a price of -1"),
    "negative volume": (line(5, volume="-0.1"), Kind.IMPOSSIBLE, "a negative volume, -0.1"),
    "19 digits": (line(5, volume="1e-19"), Kind.IMPOSSIBLE, "more than 18 digits behind"),
    "off the grid": (f"{T0 + 1},1,1,1,1,1", Kind.OFF_GRID, "is not the open time of a candle"),
    "duplicate": (line(4), Kind.DUPLICATE, "2025-01-01T00:20:00Z stands there twice"),
    "out of order": (line(2), Kind.OUT_OF_ORDER, "00:10:00Z comes after the one of 2025-01-01T00"),
}


@pytest.mark.parametrize(("planted", "kind", "what"), PLANTED.values(), ids=PLANTED.keys())
def test_each_planted_error_is_named_with_its_line(
    tmp_path: Path, planted: str, kind: Kind, what: str
) -> None:
    lines = [HEADER, *map(line, range(5)), planted, *map(line, range(5, 9))]
    report = check_file(write(tmp_path, lines))
    [fault] = report.faults
    assert (fault.place, fault.kind) == (7, kind)
    assert what in fault.what
    assert (report.rows, report.missing, report.clean) == (10, 0, False)


def test_errors_do_not_hide_each_other(tmp_path: Path) -> None:
    planted = [text for text, _, _ in PLANTED.values()]
    report = check_file(write(tmp_path, [HEADER, *map(line, range(5)), *planted, line(5)]))
    assert [fault.place for fault in report.faults] == list(range(7, 7 + len(planted)))
    assert (report.rows, report.count(Kind.DUPLICATE)) == (len(planted) + 6, 1)
    assert report.span == Span(T0, T0 + 6 * M5)


def test_gaps_are_told_from_to_and_how_many(tmp_path: Path) -> None:
    numbers = (0, 1, 4, 5, 7)
    text = write(tmp_path, [line(number) for number in numbers])
    gaps = [Gap(T0 + 2 * M5, T0 + 4 * M5, 2), Gap(T0 + 6 * M5, T0 + 7 * M5, 1)]
    [made] = import_files([text], tmp_path)
    report = check_file(made.path)
    assert report.gaps == gaps
    assert (report.rows, report.missing, report.clean) == (5, 3, False)
    assert [(gap.from_ms, gap.to_ms) for gap in check_file(text).gaps] == [
        (gap.from_ms, gap.to_ms) for gap in gaps
    ]


def test_a_parquet_file_that_somebody_changed_is_told_row_by_row(tmp_path: Path) -> None:
    [made] = import_files([write(tmp_path, [line(number) for number in range(50)])], tmp_path)
    rows = list(load_series(made.path).rows())
    rows[6] = rows[6]._replace(high=rows[6].low - 1)
    rows[9] = rows[9]._replace(open_ms=rows[8].open_ms)
    rows[20] = rows[20]._replace(open_ms=rows[3].open_ms)
    rows[30] = rows[30]._replace(open_ms=rows[30].open_ms + 1)
    rows[40] = rows[40]._replace(volume=-rows[40].volume)
    metadata = pq.read_schema(made.path).metadata
    pq.write_table(table_of(rows).replace_schema_metadata(metadata), made.path)
    faults = check_file(made.path).faults
    assert [(fault.place, fault.kind) for fault in faults] == [
        (7, Kind.IMPOSSIBLE),
        (10, Kind.DUPLICATE),
        (21, Kind.OUT_OF_ORDER),
        (31, Kind.OFF_GRID),
        (41, Kind.IMPOSSIBLE),
    ]


def test_a_hole_in_a_column_is_refused(tmp_path: Path) -> None:
    [made] = import_files([write(tmp_path, [line(0), line(1)])], tmp_path)
    table = pq.read_table(made.path)
    holey = [
        pa.array([None, None], field.type) if field.name == "low" else table[field.name]
        for field in SCHEMA
    ]
    pq.write_table(
        pa.table(holey, names=SCHEMA.names).replace_schema_metadata(table.schema.metadata),
        made.path,
    )
    assert "its columns or its metadata are others" in check_file(made.path).unreadable


def test_one_unreadable_file_does_not_keep_others_from_being_looked_at(tmp_path: Path) -> None:
    write(tmp_path, [line(0), line(1)])
    (tmp_path / "ETH-USDT-5m.parquet").write_bytes(b"no parquet")
    (tmp_path / ".XRP-USDT-5m.parquet.new").write_bytes(b"a draft")
    (tmp_path / "README.md").touch()
    reports = [check_file(path) for path in candle_files([tmp_path])]
    assert [(report.path.name, report.clean) for report in reports] == [
        ("BTC-USDT-5m.csv", True),
        ("ETH-USDT-5m.parquet", False),
    ]
    assert "cannot be read" in reports[1].unreadable


def test_no_such_place_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"There is no .*none"):
        candle_files([tmp_path / "none"])
    with pytest.raises(InputError, match="There is no candle file in"):
        candle_files([tmp_path])
    assert "does not tell symbol" in check_file(write(tmp_path, [line(0)], "x.csv")).unreadable
