"""`oxbot candles` as people and programs meet it."""

import json
from pathlib import Path

import pytest

from oxbot.cli import main
from tests.unit.candles.texts import HEADER, line, write


def test_import_and_check_tell_people_what_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = write(tmp_path, [HEADER, *map(line, range(288))])
    assert main.run(["candles", "import", str(text), "--into", str(tmp_path / "new")]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.splitlines()[1].split() == [
        "BTC-USDT-5m.parquet",
        *("288", "1", "2025-01-01", "00:00", "2025-01-02", "00:00", "0"),
    ]
    assert main.run(["candles", "check", str(tmp_path / "new")]) == 0
    assert "good" in capsys.readouterr().out


def test_the_tables_fit_on_a_terminal_of_eighty_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = write(tmp_path, [line(0), line(200)], "DOGE-USDT-5m.csv")
    assert main.run(["candles", "import", str(text), "--into", str(tmp_path)]) == 0
    assert main.run(["candles", "check", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "\u2026" not in out
    assert "DOGE-USDT-5m.parquet: 199 missing from 2025-01-01T00:05:00Z to" in out


def test_json_is_one_document_with_every_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, [HEADER, line(0), line(0), line(3)])
    assert main.run(["candles", "check", str(tmp_path), "--json"]) == 1
    [report] = json.loads(capsys.readouterr().out)
    assert (report["rows"], report["duplicates"], report["missing"]) == (3, 1, 2)
    assert report["gaps"] == [
        {
            "from": "2025-01-01T00:05:00Z",
            "to": "2025-01-01T00:15:00Z",
            "missing": 2,
            "asked": True,
        }
    ]
    assert [(fault["line"], fault["kind"]) for fault in report["faults"]] == [(3, "duplicate")]


def test_a_refused_import_says_each_line_and_has_an_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = write(tmp_path, [HEADER, line(0), "x"])
    assert main.run(["candles", "import", str(text), "--into", str(tmp_path), "--json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert json.loads(err) == {
        "error": "InputError",
        "message": "BTC-USDT-5m.csv, line 3: 1 cells, not 6.\nNothing was written.",
    }


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["BTC", "--bar", "7m", "--from", "2025-01-01"], "not '7m'"),
        (["BTC", "--from", "yesterday"], "--from: 'yesterday' is not a time"),
        (["BTC", "--from", "2025-01-01", "--to", "x"], "--to: 'x' is not a time"),
        (["BTC", "btc/usdt", "--from", "2025-01-01"], "Named twice: BTC/USDT"),
        (["B?C", "--from", "2025-01-01"], "is no symbol"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_before_anybody_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    into = tmp_path / "new"
    assert main.run(["candles", "fetch", *options, "--into", str(into)]) == 2
    assert said in capsys.readouterr().err
    assert not into.exists()
