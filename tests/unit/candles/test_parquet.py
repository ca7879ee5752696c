"""Candle files: exact, whole, and what they say they are."""

import json
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings

from oxbot.candles.importing import import_files
from oxbot.candles.parquet import load_series, read_series, sole_writer, write_series
from oxbot.candles.rows import Row
from oxbot.candles.series import SCHEMA, Series, table_of
from oxbot.candles.spans import Span
from oxbot.domain.errors import Conflict, InputError, SetupError
from oxbot.domain.money import plain
from tests.support.examples import examples
from tests.unit.candles.texts import M5, T0, candle_rows, write

BTC = "BTC-USDT-5m.parquet"


def series(count: int = 10, price: str = "94000.1") -> Series:
    cell = Decimal(price)
    rows = [
        Row(T0 + number * M5, cell, cell, cell, cell, Decimal(number)) for number in range(count)
    ]
    return Series("okx", "BTC/USDT", "5m", (Span(T0, T0 + count * M5),), table_of(rows))


@given(rows=candle_rows())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(60))
def test_text_to_file_to_candles_is_exact_to_the_last_digit(
    tmp_path: Path, rows: list[Row]
) -> None:
    lines = [",".join([str(row.open_ms), *map(plain, row[1:])]) for row in rows]
    [made] = import_files([write(tmp_path, lines)], tmp_path, replacing=True)
    again = read_series(made.path)
    assert list(again.rows()) == rows
    assert [[plain(value) for value in row[1:]] for row in again.rows()] == [
        [plain(value) for value in row[1:]] for row in rows
    ]
    assert sum(gap.missing for gap in again.gaps()) == (
        (rows[-1].open_ms - rows[0].open_ms) // M5 + 1 - len(rows)
    )


def test_a_file_says_what_it_is(tmp_path: Path) -> None:
    path = write_series(tmp_path, series())
    assert path.name == BTC
    schema = pq.read_schema(path)
    assert str(schema.field("open_ms").type) == "int64"
    assert {str(schema.field(name).type) for name in Row._fields[1:]} == {"decimal128(38, 18)"}
    assert json.loads(schema.metadata[b"oxbot"]) == {
        "format": 1,
        "venue": "okx",
        "symbol": "BTC/USDT",
        "bar": "5m",
        "covered": [[T0, T0 + 10 * M5]],
    }


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_series(tmp_path, series())
    old = path.read_bytes()

    def fill_the_disk(table: pa.Table, file: object, **_: object) -> None:
        file.write(b"PAR1")  # type: ignore[attr-defined] # an open file
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "write_table", fill_the_disk)
    with pytest.raises(SetupError, match="No space left"):
        write_series(tmp_path, series(20))
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


def test_a_draft_that_a_kill_left_is_no_candle_file_and_is_written_over(tmp_path: Path) -> None:
    (tmp_path / f".{BTC}.new").write_bytes(b"PAR1 half")
    path = write_series(tmp_path, series())
    assert list(tmp_path.iterdir()) == [path]
    assert len(read_series(path)) == 10


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    path = write_series(tmp_path, series(500))
    whole = path.read_bytes()
    for cut in range(0, len(whole), 211):
        path.write_bytes(whole[:cut])
        with pytest.raises(InputError, match=f"{BTC} cannot be read"):
            read_series(path)


def test_a_strange_or_renamed_parquet_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    strange = tmp_path / BTC
    pq.write_table(pa.table({"open_ms": [1.5]}), strange)
    with pytest.raises(InputError, match="is not a candle file of 0xBot"):
        load_series(strange)
    renamed = write_series(tmp_path, series()).rename(tmp_path / "ETH-USDT-5m.parquet")
    with pytest.raises(InputError, match=f"give it its name back, {BTC}"):
        load_series(renamed)


@pytest.mark.parametrize(
    ("metadata", "what"),
    [
        (b"{", "unreadable metadata"),
        (b"[]", "unreadable metadata"),
        (b'{"format": 1, "bar": "5m"}', "unreadable metadata"),
        (
            b'{"format": 2, "bar": "5m", "covered": [], "venue": "okx", "symbol": "BTC/USDT"}',
            "of format 2.*newer version",
        ),
        (
            b'{"format": 1, "bar": "7m", "covered": [], "venue": "okx", "symbol": "BTC/USDT"}',
            "with 7m candles",
        ),
    ],
)
def test_metadata_that_cannot_be_is_refused(tmp_path: Path, metadata: bytes, what: str) -> None:
    table = series().table.replace_schema_metadata({b"oxbot": metadata})
    pq.write_table(table, tmp_path / BTC)
    with pytest.raises(InputError, match=what):
        load_series(tmp_path / BTC)


def test_a_broken_row_is_refused_on_the_way_in_and_on_the_way_out(tmp_path: Path) -> None:
    good = series().table
    twice = pa.concat_tables([good, good.slice(4, 1)])
    with pytest.raises(InputError, match=r"row 11: the candle of 2025-01-01T00:20:00Z comes after"):
        write_series(tmp_path, Series("okx", "BTC/USDT", "5m", (), twice))
    assert list(tmp_path.iterdir()) == []
    metadata = pq.read_schema(write_series(tmp_path, series())).metadata
    pq.write_table(twice.replace_schema_metadata(metadata), tmp_path / BTC)
    with pytest.raises(InputError, match=r"row 11: the candle of 2025-01-01T00:20:00Z comes after"):
        read_series(tmp_path / BTC)


def test_a_folder_has_one_writer_at_a_time(tmp_path: Path) -> None:
    with (
        sole_writer(tmp_path / "new"),
        pytest.raises(Conflict, match="Another command is writing"),
        sole_writer(tmp_path / "new"),
    ):
        raise AssertionError
    with sole_writer(tmp_path / "new"):
        assert SCHEMA.names[0] == "open_ms"
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match="cannot be used"), sole_writer(tmp_path / "file"):
        raise AssertionError
