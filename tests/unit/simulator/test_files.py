"""Candle files, and the faults that stop a start."""

import gzip
from decimal import Decimal
from pathlib import Path

import pytest

from oxbot.candles.importing import import_files
from oxbot.domain.errors import InputError
from oxbot.simulator.files import read_folder
from tests.unit.simulator.markets import DAY_START_MS as T0
from tests.unit.simulator.markets import STEP_MS

HEADER = "ts,open,high,low,close,volume"


def line(number: int, prices: str = "100.5,101,100,100.7", volume: str = "12.5") -> str:
    return f"{T0 + number * STEP_MS},{prices},{volume}"


def write(folder: Path, lines: list[str], name: str = "BTC-USDT-5m.csv") -> None:
    (folder / name).write_text("\n".join(lines) + "\n")


def refusal(folder: Path, timeframe: str = "5m") -> str:
    with pytest.raises(InputError) as caught:
        read_folder(folder, timeframe)
    return str(caught.value)


def test_plain_and_gzipped_files_are_read_to_the_last_digit(tmp_path: Path) -> None:
    write(tmp_path, [HEADER, *map(line, range(4))])
    packed = "\n".join([HEADER, *(line(n, "2.0069,2.0147,2.0037,2.01") for n in range(4))])
    (tmp_path / "XRP-USDT-5m.csv.gz").write_bytes(gzip.compress(packed.encode()))
    source = read_folder(tmp_path, "5m")
    assert source.symbols == ("BTC-USDT", "XRP-USDT")
    candle = source.bars("XRP-USDT", T0, T0 + 1).candles("XRP-USDT")[0]
    assert candle == (
        T0,
        Decimal("2.0069"),
        Decimal("2.0147"),
        Decimal("2.0037"),
        Decimal("2.01"),
        Decimal("12.5"),
    )


def test_the_market_is_the_time_that_all_files_share(tmp_path: Path) -> None:
    write(tmp_path, [HEADER, *map(line, range(10))])
    write(tmp_path, [HEADER, *map(line, range(3, 12))], "ETH-USDT-5m.csv")
    source = read_folder(tmp_path, "5m")
    assert (source.first_ms, source.end_ms) == (T0 + 3 * STEP_MS, T0 + 10 * STEP_MS)
    assert {len(bars) for bars in source.series.values()} == {7}


def test_prices_are_rounded_to_the_tick(tmp_path: Path) -> None:
    write(tmp_path, [HEADER, line(0, "100.54,101.06,99.96,100.66"), line(1)])
    candle = read_folder(tmp_path, "5m").bars("BTC-USDT", T0, T0 + 1).candles("BTC-USDT")[0]
    assert candle[1:5] == tuple(map(Decimal, ("100.5", "101.1", "100.0", "100.7")))


def test_columns_may_stand_in_another_order_with_others_beside_them(tmp_path: Path) -> None:
    write(
        tmp_path,
        ["x,volume,close,low,high,open,ts", *(f"-,5,2,1,4,3,{T0 + n * STEP_MS}" for n in (0, 1))],
    )
    candle = read_folder(tmp_path, "5m").bars("BTC-USDT", T0, T0 + 1).candles("BTC-USDT")[0]
    assert candle == (T0, *map(Decimal, (3, 4, 1, 2, 5)))


def test_files_of_the_other_length_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path, [HEADER, line(0), line(1)])
    write(tmp_path, ["rubbish"], "BTC-USDT-1m.csv")
    assert read_folder(tmp_path, "5m").step_ms == STEP_MS
    assert "BTC-USDT-1m.csv, line 1" in refusal(tmp_path, "1m")


@pytest.mark.parametrize(
    ("lines", "where_and_what"),
    [
        (["ts,open,high,low,close", "1,2,3,4,5"], "line 1: column volume is missing"),
        ([], "line 1: column ts is missing"),
        ([HEADER], "has no candles"),
        ([HEADER, line(0), line(1, "1,2,x,1")], "line 3: a value is not a number"),
        ([HEADER, line(0, "NaN,2,1,1")], "line 2: a value is not a number"),
        ([HEADER, line(0, "1,Infinity,1,1")], "line 2: a value is not a number"),
        ([HEADER, line(0, "1,1e30,1,1")], "line 2: a value is not a number"),
        ([HEADER, line(0), line(1, "1,1,2,1")], "line 3: high 1 is below low 2"),
        ([HEADER, line(0, "5,3,1,2")], "line 2: open 5 or close 2 lies outside 1 to 3"),
        ([HEADER, line(0, "0,0,0,0")], "line 2: a price below one tick"),
        ([HEADER, line(0, volume="-1")], "line 2: a price below one tick, or a negative volume"),
        ([HEADER, line(0), line(2)], "line 3: a gap: 2025-01-01T00:05:00Z is missing"),
        ([HEADER, line(0), line(0)], "line 3: 1735689600000 is a duplicate or out of order"),
        ([HEADER, line(1), line(0)], "line 3: 1735689600000 is a duplicate or out of order"),
        ([HEADER, f"{T0 + 1},1,1,1,1,1"], "line 2: 1735689600001 is not the open time"),
        ([HEADER, "1,2,3"], "line 2: 3 cells, not 6"),
    ],
)
def test_a_fault_is_named_with_file_and_line(
    tmp_path: Path, lines: list[str], where_and_what: str
) -> None:
    write(tmp_path, lines)
    message = refusal(tmp_path)
    assert message.startswith("BTC-USDT-5m.csv")
    assert where_and_what in message


def test_a_torn_archive_is_refused(tmp_path: Path) -> None:
    whole = gzip.compress("\n".join([HEADER, *map(line, range(500))]).encode())
    (tmp_path / "BTC-USDT-5m.csv.gz").write_bytes(whole[: len(whole) // 2])
    assert "BTC-USDT-5m.csv.gz cannot be read" in refusal(tmp_path)
    (tmp_path / "BTC-USDT-5m.csv.gz").write_bytes(b"not gzip")
    assert "BTC-USDT-5m.csv.gz cannot be read" in refusal(tmp_path)


def test_a_folder_without_files_a_strange_coin_and_strange_lengths_are_refused(
    tmp_path: Path,
) -> None:
    assert "There is no folder" in refusal(tmp_path / "none")
    assert "There is no file of 5m candles" in refusal(tmp_path)
    assert "read as 1m or 5m" in refusal(tmp_path, "7m")
    write(tmp_path, [HEADER, line(0), line(1)], "DOGE-USDT-5m.csv")
    assert "DOGE-USDT is not listed here" in refusal(tmp_path)


def test_files_that_share_no_time_are_refused(tmp_path: Path) -> None:
    write(tmp_path, [HEADER, line(0), line(1)])
    write(tmp_path, [HEADER, line(5), line(6)], "ETH-USDT-5m.csv")
    assert "no time in common" in refusal(tmp_path)


def test_the_market_keeps_its_name_when_files_grow_and_changes_it_with_other_candles(
    tmp_path: Path,
) -> None:
    lines = [HEADER, *map(line, range(1200))]
    write(tmp_path, lines)
    name = read_folder(tmp_path, "5m").name
    write(tmp_path, [*lines, line(1200)])
    assert read_folder(tmp_path, "5m").name == name
    write(tmp_path, [*lines[:5], line(4, "100.5,101,100,100.6"), *lines[6:]])
    assert read_folder(tmp_path, "5m").name != name


def parquet(folder: Path, lines: list[str], name: str = "BTC-USDT-5m.csv") -> Path:
    """The candle file that these lines are imported into."""
    (folder / "texts").mkdir(exist_ok=True)
    write(folder / "texts", lines, name)
    [made] = import_files([folder / "texts" / name], folder)
    return made.path


def test_a_parquet_file_is_the_same_market_as_its_text(tmp_path: Path) -> None:
    lines = [HEADER, *(line(number, "100.54,101.06,99.96,100.66") for number in range(50))]
    parquet(tmp_path, lines)
    read, text = read_folder(tmp_path, "5m"), read_folder(tmp_path / "texts", "5m")
    assert (read.name, read.first_ms, read.end_ms) == (text.name, text.first_ms, text.end_ms)
    assert (read.series["BTC-USDT"].rows == text.series["BTC-USDT"].rows).all()


def test_parquet_and_text_may_stand_side_by_side_but_not_for_one_coin(tmp_path: Path) -> None:
    parquet(tmp_path, [HEADER, *map(line, range(4))])
    write(tmp_path, [HEADER, *map(line, range(4))], "ETH-USDT-5m.csv")
    assert read_folder(tmp_path, "5m").symbols == ("BTC-USDT", "ETH-USDT")
    write(tmp_path, [HEADER, *map(line, range(4))])
    assert "BTC-USDT-5m.csv and BTC-USDT-5m.parquet are both" in refusal(tmp_path)


def test_a_gap_a_coin_that_is_not_listed_and_a_torn_file_stop_the_start(tmp_path: Path) -> None:
    path = parquet(tmp_path, [HEADER, line(0), line(2)])
    assert "BTC-USDT-5m.parquet, row 2: a gap: 2025-01-01T00:05:00Z is missing" in refusal(tmp_path)
    path.write_bytes(path.read_bytes()[:-100])
    assert "BTC-USDT-5m.parquet cannot be read" in refusal(tmp_path)
    path.unlink()
    parquet(tmp_path, [HEADER, line(0), line(1)], "DOGE-USDT-5m.csv")
    assert "DOGE-USDT is not listed here" in refusal(tmp_path)


def test_a_flipped_byte_in_an_archive_is_refused(tmp_path: Path) -> None:
    lines = [HEADER, *(line(number, volume=str(number)) for number in range(500))]
    packed = gzip.compress("\n".join(lines).encode())
    middle = len(packed) // 2
    (tmp_path / "BTC-USDT-5m.csv.gz").write_bytes(
        packed[:middle] + bytes([packed[middle] ^ 0xFF]) + packed[middle + 1 :]
    )
    assert "BTC-USDT-5m.csv.gz" in refusal(tmp_path)
