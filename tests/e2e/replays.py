"""Replays of two bots as processes: begun, watched, killed, and what they reported."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

import psutil

from tests.e2e.system_process import OXBOT, Machine, wait_until

FROM, TO = "2025-04-07T23:50:00Z", "2025-04-08T01:00:00Z"
"""Where the generated market has entries in the first cycles and stops soon after."""

CYCLES = 28
"""Of two bots, every five minutes."""

Bots = Sequence[Mapping[str, object]]
"""What a file of bots holds."""

BOTS: Bots = [
    {"id": "one"},
    {"id": "two", "settings": {"symbols": ["BTC/USDT", "SOL/USDT"]}},
]

OF_THE_RUN = ("wall_seconds", "run_cycles", "cycles_per_s")
"""What tells of a run, not of the replay."""

Report = dict[str, Any]  # Any: JSON


def command(machine: Machine, *more: str, bots: Bots = BOTS) -> list[str]:
    """The command line; an option that is given again counts as it was given last."""
    file = machine.root / "bots.json"
    file.write_text(json.dumps(bots))
    wishes = ("--from", FROM, "--to", TO, "--bots", str(file), "--name", "one", "--json")
    return [*OXBOT, "replay", *wishes, *more]


def begin(machine: Machine, *more: str, bots: Bots = BOTS) -> "subprocess.Popen[bytes]":
    """Begin a replay or go on with it, with more options; its report is written to a file."""
    with (machine.root / "report.json").open("wb") as report:
        machine.process = subprocess.Popen(
            command(machine, *more, bots=bots),
            env=machine.environment,
            cwd=machine.root,
            stdout=report,
            stderr=(machine.root / "up.out").open("ab"),
        )
    return machine.process


def ended(machine: Machine) -> Report:
    """Wait for the end; what was reported, without what tells of the run."""
    assert machine.process is not None
    assert machine.process.wait() == 0, machine.output
    report: Report = json.loads((machine.root / "report.json").read_text())
    return {name: value for name, value in report.items() if name not in OF_THE_RUN}


def wait_for_progress(machine: Machine) -> None:
    """Wait until some more of the way is done, and not all of it."""
    before = machine.output.count(" % ")
    wait_until(lambda: machine.output.count(" % ") > before or machine.ended)
    assert not machine.ended, machine.output


def kill(machine: Machine, *names: str) -> None:
    """SIGKILL for parts of the system, then wait until they are back."""
    children = json.loads((machine.home / "replays" / "one" / "children.json").read_text())
    before = {name: machine.output.count(f"{name} restarted") for name in names}
    for name in names:
        psutil.Process(children[name]["pid"]).kill()
    wait_until(
        lambda: (
            machine.ended
            or all(machine.output.count(f"{name} restarted") > before[name] for name in names)
        )
    )
    assert not machine.ended, machine.output
