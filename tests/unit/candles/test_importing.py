"""Texts into candle files: all of them, or nothing."""

from pathlib import Path

import pytest

from oxbot.candles.importing import import_files
from oxbot.candles.names import named
from oxbot.candles.parquet import read_series
from oxbot.candles.spans import Span
from oxbot.domain.errors import Conflict, InputError
from tests.unit.candles.texts import HEADER, M5, T0, line, write


def refusal(paths: list[Path], into: Path) -> str:
    with pytest.raises(InputError) as caught:
        import_files(paths, into)
    return str(caught.value)


def test_months_of_one_symbol_become_one_file_in_the_order_of_time(tmp_path: Path) -> None:
    second = write(tmp_path, [line(number) for number in range(5, 9)], "BTCUSDT-5m-2025-02.zip")
    first = write(tmp_path, [line(number) for number in range(4)], "BTCUSDT-5m-2025-03.csv.gz")
    other = write(tmp_path, [HEADER, line(0)], "ETH-USDT-5m.csv")
    made = import_files([second, first, other], tmp_path / "new")
    assert [one.path.name for one in made] == ["BTC-USDT-5m.parquet", "ETH-USDT-5m.parquet"]
    assert made[0].sources == (first, second)
    btc = read_series(made[0].path)
    assert [row.open_ms for row in btc.rows()] == [T0 + n * M5 for n in (*range(4), *range(5, 9))]
    assert (btc.venue, btc.covered) == ("imported", (Span(T0, T0 + 9 * M5),))
    assert [(gap.from_ms, gap.missing) for gap in btc.gaps()] == [(T0 + 4 * M5, 1)]


def test_all_broken_lines_of_all_files_are_told_and_nothing_is_written(tmp_path: Path) -> None:
    good = write(tmp_path, [line(0)])
    bad = write(tmp_path, [HEADER, line(0), line(0), line(1, "1,1,2,1")], "ETH-USDT-5m.csv")
    torn = write(tmp_path, [line(number) for number in range(99)], "XRP-USDT-5m.csv.gz")
    torn.write_bytes(torn.read_bytes()[:-20])
    empty = write(tmp_path, [HEADER], "SOL-USDT-5m.csv")
    said = refusal([good, bad, torn, empty], tmp_path / "new")
    assert said.splitlines()[:2] == [
        "ETH-USDT-5m.csv, line 3: the candle of 2025-01-01T00:00:00Z stands there twice.",
        "ETH-USDT-5m.csv, line 4: high 1 is below low 2.",
    ]
    assert "XRP-USDT-5m.csv.gz cannot be read" in said
    assert "SOL-USDT-5m.csv has no candles" in said
    assert said.endswith("Nothing was written.")
    assert not (tmp_path / "new").exists()


def test_of_many_broken_lines_ten_are_told_and_the_others_counted(tmp_path: Path) -> None:
    said = refusal([write(tmp_path, [HEADER, *["x,1,1,1,1,1"] * 1234])], tmp_path)
    assert len(said.splitlines()) == 12
    assert "and 1,224 more" in said


def test_two_files_with_the_same_time_are_refused(tmp_path: Path) -> None:
    month = write(tmp_path, [line(number) for number in range(9)], "BTCUSDT-5m-2025-01.csv")
    day = write(tmp_path, [line(number) for number in range(8, 12)], "BTCUSDT-5m-2025-01-01.csv")
    said = refusal([day, month], tmp_path / "new")
    assert "BTCUSDT-5m-2025-01-01.csv begins at 2025-01-01T00:40:00Z" in said
    assert "goes on until 2025-01-01T00:45:00Z" in said
    assert not (tmp_path / "new").exists()


def test_a_file_that_is_there_is_replaced_only_on_request(tmp_path: Path) -> None:
    text = write(tmp_path, [line(0), line(1)])
    [made] = import_files([text], tmp_path)
    write(tmp_path, [line(0)])
    with pytest.raises(Conflict, match="--replace"):
        import_files([text], tmp_path)
    assert len(read_series(made.path)) == 2
    import_files([text], tmp_path, replacing=True)
    assert len(read_series(made.path)) == 1


def test_symbol_and_length_come_from_the_options_or_the_name(tmp_path: Path) -> None:
    text = write(tmp_path, [line(0)], "dump.csv")
    assert "say it with --symbol and --bar" in refusal([text], tmp_path)
    [made] = import_files([text], tmp_path, symbol="SOL/USDT", bar="5m")
    assert made.path.name == "SOL-USDT-5m.parquet"
    with pytest.raises(InputError, match="not '7m'"):
        import_files([text], tmp_path, symbol="SOL/USDT", bar="7m")
    assert "is no .csv" in refusal([made.path], tmp_path)
    hourly = "is not the open time of a candle"
    with pytest.raises(InputError, match=hourly):
        import_files([write(tmp_path, [line(1)], "ETHUSDT-1h.csv")], tmp_path)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("BTC-USDT-5m.csv.gz", ("BTC/USDT", "5m")),
        ("BTC_USDT-1m.csv", ("BTC/USDT", "1m")),
        ("BTCUSDT-1m-2025-01.zip", ("BTC/USDT", "1m")),
        ("BTCUSDT-1h.csv", ("BTC/USDT", "1h")),
        ("BTC-USDT-4H.csv", ("BTC/USDT", "4h")),
        ("1INCHUSDT-5m.csv", ("1INCH/USDT", "5m")),
        ("BTCUSDT-1M-2025.csv", None),
        ("BTC-USDT-7m.csv", None),
        ("USDT-5m.csv", None),
        ("candles.csv", None),
    ],
)
def test_names_are_read_as_people_write_them(name: str, what: tuple[str, str] | None) -> None:
    assert named(Path(name)) == what


REAL_CANDLES = Path(__file__).parents[4] / "shared" / "market-data"


@pytest.mark.skipif(not REAL_CANDLES.is_dir(), reason=f"no real candles in {REAL_CANDLES}")
def test_real_candles_are_imported_without_a_gap(tmp_path: Path) -> None:
    [made] = import_files(sorted(REAL_CANDLES.glob("*-5m.csv.gz"))[:1], tmp_path)
    assert len(made.series) == 25_920
    assert made.series.gaps() == []
