"""docs/operating.md and the quick start hold: their commands say what the pages show."""

import os
import stat
from typing import Final

import pytest

from tests.e2e.operating_page import ANYTHING, PAGE, README, examples, is_like, run
from tests.e2e.system_process import OXBOT, Machine
from tests.e2e.test_live_doors import LIVE, make_account
from tests.support.buyer import buyer


def with_oxbot(machine: Machine) -> dict[str, str]:
    """The machine's environment with a command `oxbot`, which is this installation's."""
    folder = machine.root / "bin"
    folder.mkdir()
    command = folder / "oxbot"
    command.write_text(f'#!/bin/sh\nexec {" ".join(OXBOT)} "$@"\n', encoding="utf-8")
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    return {**machine.environment, "PATH": f"{folder}:{os.environ['PATH']}"}


def until_held(bot_id: str, what: str = "symbol") -> str:
    """The condition that a bot's positions have this."""
    asked = f'curl -s $api/bots/{bot_id}/positions -H "Authorization: Bearer $token"'
    return f'{asked} | grep -q \'"{what}":"\''


WAITS: Final = {
    "oxbot status": "oxbot status | grep -q '^ETH '",
    "oxbot bots equity busy": "oxbot bots equity busy --points 2 | grep -c '^20' | grep -q 2",
    "oxbot bots positions busy": f"{until_held('busy')} && {until_held('eager')}",
    "oxbot bots positions real": until_held("real", "resting_stop"),
}
"""What a person waits for before a command: a price of each coin; that bots have bought, which they
do in their first cycle; that there is a second one."""


def test_each_command_of_the_pages_says_what_they_show(machine: Machine) -> None:
    page = [each for path in (PAGE, README) for each in examples(path.read_text(encoding="utf-8"))]
    assert len(page) > 30
    with buyer() as model:
        said = typed(machine, model, [example.command for example in page])
    assert len(said) == len(page), said[-1]
    wrong = [
        f"$ {example.command}\n{out}\n-- the page shows:\n{example.shown}"
        for example, (code, out) in zip(page, said, strict=True)
        if code or not is_like(example.shown, out)
    ]
    assert wrong == [], "\n\n".join(wrong)


def typed(machine: Machine, model: dict[str, str], commands: list[str]) -> list[tuple[int, str]]:
    """Type commands where a system runs, with an account at its exchange."""
    machine.environment = {**machine.environment, **LIVE, **model}
    machine.start()
    make_account(machine, key="key1", balances={"USDT": "1000"})
    api = f"127.0.0.1:{machine.environment['OXBOT_API_PORT']}"
    here = [command.replace("127.0.0.1:8020", api) for command in commands]
    return run(here, with_oxbot(machine), machine.root, WAITS)


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
