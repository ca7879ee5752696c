"""Exit codes and sentences: what a script and a person get when something goes wrong."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from oxbot.cli import failures, main
from oxbot.domain import errors
from oxbot.domain.errors import OxbotError

HEAVY = (
    "ccxt",
    "temporalio",
    "sqlalchemy",
    "numpy",
    "talib",
    "fastapi",
    "aiohttp",
    "psutil",
    "pyarrow",
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.SetupError("x"), 1),
        (errors.LedgerBroken("x"), 1),
        (errors.InputError("x"), 2),
        (errors.NotFound("x"), 3),
        (errors.Conflict("x"), 4),
        (errors.Unavailable("x"), 5),
        (errors.StoreUnavailable("x"), 5),
        (errors.RateLimited("x", 3), 5),
        (errors.Unanswered("x"), 6),
    ],
)
def test_the_exit_code_tells_the_kind_of_failure(error: OxbotError, code: int) -> None:
    assert failures.exit_code(error) == code


def test_the_page_and_the_help_name_each_exit_code() -> None:
    page = (Path(__file__).parents[3] / "docs" / "operating.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| (\d+) \|", page, re.MULTILINE))
    kinds: list[type[OxbotError]] = [OxbotError, *_all(OxbotError)]
    codes = {0, failures.USAGE, failures.INTERRUPTED}
    codes |= {failures.exit_code(kind.__new__(kind)) for kind in kinds}
    assert named == {str(code) for code in codes}
    assert named == set(re.findall(r"\b(\d+) [a-z]", failures.EXPLAINED))


def _all(kind: type[OxbotError]) -> list[type[OxbotError]]:
    return [each for sub in kind.__subclasses__() for each in (sub, *_all(sub))]


def raising(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have `oxbot config show` fail."""

    def fail(*, as_json: bool) -> None:
        del as_json
        raise error

    monkeypatch.setattr("oxbot.cli.config_table.show", fail)


def test_an_error_is_one_sentence_on_stderr(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(errors.NotFound("There is no bot x."), monkeypatch)
    assert main.run(["config", "show"]) == 3
    assert capsys.readouterr() == ("", "There is no bot x.\n")


def test_with_json_an_error_is_one_object_on_stderr(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(errors.Conflict("Bot x is stopped."), monkeypatch)
    assert main.run(["config", "show", "--json"]) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert json.loads(err) == {"error": "Conflict", "message": "Bot x is stopped."}


def test_ctrl_c_ends_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(KeyboardInterrupt(), monkeypatch)
    assert main.run(["config", "show"]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_a_bug_is_not_dressed_up_as_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    raising(ZeroDivisionError(), monkeypatch)
    with pytest.raises(ZeroDivisionError):
        main.run(["config", "show"])


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["nonsense"], "`oxbot --help`"),
        (["bots", "show"], "`oxbot bots show --help`"),
        (["bots", "show", "x", "--rows", "many"], "`oxbot bots show --help`"),
    ],
)
def test_a_command_line_that_cannot_be_understood_says_where_to_read(
    arguments: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(arguments) == 2
    assert hint in capsys.readouterr().err


def test_help_explains_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--help"]) == 0
    assert "Exit codes: 0 done" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["--help"], ["--version"], ["bots", "create", "--help"]])
def test_no_command_loads_anything_heavy_before_it_runs(arguments: list[str]) -> None:
    program = (
        "import sys\nfrom oxbot.cli import main\n"
        f"main.run({arguments!r}) if {arguments!r} else None\nprint('LOADED', *sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(ran.stdout.rpartition("LOADED ")[2].split())
    assert "oxbot.cli.bots" in loaded
    assert loaded.isdisjoint(HEAVY)
