"""docs/operating.md and the quick start hold: their commands say what the pages show."""

import os
import stat

import pytest

from tests.e2e.operating_page import ANYTHING, PAGE, README, examples, is_like, run
from tests.e2e.system_process import OXBOT, Machine


def with_oxbot(machine: Machine) -> dict[str, str]:
    """The machine's environment with a command `oxbot`, which is this installation's."""
    folder = machine.root / "bin"
    folder.mkdir()
    command = folder / "oxbot"
    command.write_text(f'#!/bin/sh\nexec {" ".join(OXBOT)} "$@"\n', encoding="utf-8")
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    return {**machine.environment, "PATH": f"{folder}:{os.environ['PATH']}"}


def test_each_command_of_the_pages_says_what_they_show(machine: Machine) -> None:
    page = [each for path in (PAGE, README) for each in examples(path.read_text(encoding="utf-8"))]
    assert len(page) > 30
    environment = with_oxbot(machine)
    machine.start()
    api = f"127.0.0.1:{machine.environment['OXBOT_API_PORT']}"
    commands = [example.command.replace("127.0.0.1:8020", api) for example in page]
    said = run(commands, environment, machine.root)
    assert len(said) == len(page), said[-1]
    wrong = [
        f"$ {example.command}\n{out}\n-- the page shows:\n{example.shown}"
        for example, (code, out) in zip(page, said, strict=True)
        if code or not is_like(example.shown, out)
    ]
    assert wrong == [], "\n\n".join(wrong)


@pytest.mark.parametrize(
    ("shown", "said", "alike"),
    [
        ("Bot mine is paused.", "Bot mine is paused.", True),
        ("Bot mine is paused.", "Bot mine is running.", False),
        ("ann  10,002.50  2 minutes ago", "ann 9,999.10   31 seconds ago", True),
        ('{"status": "paused", "epoch": 2}', '{"status": "paused", "epoch": 31, "more": 1}', True),
        ('{"status": "paused", "epoch": 2}', '{"status": "running", "epoch": 2}', False),
        ('{"status": "paused", "epoch": 2}', '{"status": "paused"}', False),
        ('{"status": "paused"}', "Internal Server Error", False),
        (f"first\n{ANYTHING}\nlast", "first\nsecond\nthird\nlast", True),
        (f"first\n{ANYTHING}\nlast", "first\nsecond\nthird", False),
        ("200", "503", False),
    ],
)
def test_an_output_is_like_the_one_shown_but_for_what_changes(
    shown: str, said: str, *, alike: bool
) -> None:
    assert is_like(shown, said) is alike
