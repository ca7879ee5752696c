"""Texts as people have them, and every way in which a line can be broken."""

import zipfile
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.candles.csv_files import csv_rows
from oxbot.candles.rows import Row
from oxbot.candles.times import time_ms
from oxbot.domain.errors import InputError
from tests.unit.candles.texts import HEADER, T0, line, write

ROW = Row(T0, *map(Decimal, ("100.5", "101", "100", "100.7", "12.5")))
BINANCE_TAIL = f"{T0 + 299_999},1256.25,321,6.1,613.05,0"
BINANCE_HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
    "taker_buy_volume,taker_buy_quote_volume,ignore"
)

FORMS = {
    "a header": [HEADER, line(0)],
    "a header with capitals and spaces": ["Open Time, Open, High, Low, Close, Volume", line(0)],
    "a byte order mark": [f"\ufeff{HEADER}", line(0)],
    "other columns and another order": [
        "24h change,volume,symbol,close,low,high,open,timestamp",
        f"x,12.5,BTC,100.7,100,101,100.5,{T0}",
    ],
    "Binance without a header": [f"{line(0)},{BINANCE_TAIL}"],
    "Binance with its header": [BINANCE_HEADER, f"{line(0)},{BINANCE_TAIL}"],
    "six columns without a header": [line(0)],
    "microseconds": [f"{T0}000,100.5,101,100,100.7,12.5"],
    "nanoseconds": [f"{T0}000000,100.5,101,100,100.7,12.5"],
    "seconds": [f"{T0 // 1000},100.5,101,100,100.7,12.5"],
    "a time with a point": [f"{T0}.0,100.5,101,100,100.7,12.5"],
    "ISO times": [
        "date,open,high,low,close,volume",
        "2025-01-01T00:00:00Z,100.5,101,100,100.7,12.5",
    ],
    "ISO times without a header": ["2025-01-01 00:00:00,100.5,101,100,100.7,12.5"],
    "ISO times of another zone": ["2025-01-01T08:00:00+08:00,100.5,101,100,100.7,12.5"],
    "dates alone": ["2025-01-01,100.5,101,100,100.7,12.5"],
    "exponents": [f"{T0},1005e-1,1.01E+2,1e2,100.7,12.5"],
    "empty lines": [HEADER, "", line(0), ""],
}


@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz", "x.zip"])
@pytest.mark.parametrize("lines", FORMS.values(), ids=FORMS.keys())
def test_each_form_gives_the_same_candle(tmp_path: Path, lines: list[str], name: str) -> None:
    assert [row for _, row in csv_rows(write(tmp_path, lines, name))] == [ROW]


def test_windows_line_ends_and_quotes_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(f'{HEADER}\r\n"{T0}","100.5","101","100","100.7","12.5"\r\n'.encode())
    assert list(csv_rows(path)) == [(2, ROW)]


BROKEN = {
    "1,000": "a value is not a number",
    "1_000": "a value is not a number",
    "": "a value is not a number",
    "NaN": "a value is not a number",
    "-Infinity": "a value is not a number",
    "0x10": "a value is not a number",
    "\u0661\u0662": "a value is not a number",
    "1e18": "a value is not a number",
    "1e999999999": "a value is not a number",
    "--1": "a value is not a number",
}


@pytest.mark.parametrize(("cell", "what"), BROKEN.items())
def test_what_is_no_number_is_said_with_its_line(tmp_path: Path, cell: str, what: str) -> None:
    path = write(tmp_path, [HEADER, line(0), f'{T0},1,2,1,"{cell}",1', line(2)])
    rows = list(csv_rows(path))
    assert [number for number, _ in rows] == [2, 3, 4]
    assert isinstance(rows[1][1], str)
    assert what in rows[1][1]


@pytest.mark.parametrize(
    "cell", ["", "x", "0", "-1735689600000", "17356896", "2025-13-01", f"{T0}001", "1.7e12"]
)
def test_what_is_no_time_is_said_with_its_line(tmp_path: Path, cell: str) -> None:
    path = write(tmp_path, [HEADER, f"{cell},1,2,1,1,1"])
    [(number, what)] = csv_rows(path)
    assert number == 2
    assert isinstance(what, str)
    assert repr(cell) in what


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ([HEADER, "1,2"], "2 cells, not 6"),
        ([HEADER, f"{line(0)},"], "7 cells, not 6"),
        ([f"{line(0)},1", line(1)], "6 cells, not 7"),
        (["1735689600000,1,1"], "3 cells, not 6"),
    ],
)
def test_a_wrong_number_of_cells_is_said(tmp_path: Path, lines: list[str], what: str) -> None:
    assert what in [row for _, row in csv_rows(write(tmp_path, lines))]


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        (["ts,open,high,low,close"], "line 1: column volume is missing"),
        ([], "line 1: column ts is missing"),
        (["ts,open,open,high,low,close,volume"], "line 1: column open stands there twice"),
    ],
)
def test_a_header_that_does_not_do_is_refused(tmp_path: Path, lines: list[str], what: str) -> None:
    with pytest.raises(InputError, match=what):
        list(csv_rows(write(tmp_path, lines)))


@pytest.mark.parametrize("name", ["x.csv.gz", "x.zip"])
def test_an_archive_cut_anywhere_or_with_a_flipped_byte_is_refused(
    tmp_path: Path, name: str
) -> None:
    path = write(
        tmp_path, [HEADER, *(line(number, volume=str(number)) for number in range(400))], name
    )
    whole = path.read_bytes()
    for cut in range(0, len(whole) - 1, 97):
        path.write_bytes(whole[:cut])
        with pytest.raises(
            InputError, match=f"{name}(, line 1: column ts is missing| cannot be read)"
        ):
            list(csv_rows(path))
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 0xFF]) + whole[middle + 1 :])
    with pytest.raises(InputError, match=r"cannot be read.*Fetch it again"):
        list(csv_rows(path))


def test_a_zip_with_two_texts_or_none_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, [line(0)], "x.zip")
    with pytest.raises(InputError, match=r"none.csv cannot be read.*No such file"):
        list(csv_rows(tmp_path / "none.csv"))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("y.csv", "")
    with pytest.raises(InputError, match=r"holds 2 \.csv files"):
        list(csv_rows(path))


@given(st.integers(1_000_000_000_000, 9_999_999_999_999))
def test_a_time_is_the_same_in_every_unit(ms: int) -> None:
    assert time_ms(str(ms)) == time_ms(f"{ms}000") == time_ms(f"{ms}000000") == ms
    assert time_ms(str(ms // 1000)) == ms - ms % 1000
