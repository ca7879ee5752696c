"""`oxbot replay` on real servers: the same inputs give the same ledger, whoever is killed."""

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.killed_system import kill_everything
from tests.e2e.system_process import OXBOT, Machine, alive, wait_until

FROM, TO = "2025-04-07T23:50:00Z", "2025-04-08T01:00:00Z"
"""Where the generated market has entries in the first cycles and stops soon after."""

CYCLES = 28
"""Of two bots, every five minutes."""

BOTS = [{"id": "one"}, {"id": "two", "settings": {"symbols": ["BTC/USDT", "SOL/USDT"]}}]

OF_THE_RUN = ("wall_seconds", "run_cycles", "cycles_per_s")
"""What tells of a run, not of the replay."""

Report = dict[str, Any]  # Any: JSON


def command(machine: Machine, *more: str) -> list[str]:
    bots = machine.root / "bots.json"
    bots.write_text(json.dumps(BOTS))
    wishes = ("--from", FROM, "--to", TO, "--bots", str(bots), "--name", "one", "--json")
    return [*OXBOT, "replay", *wishes, *more]


def begin(machine: Machine) -> "subprocess.Popen[bytes]":
    """Begin a replay or go on with it; its report is written to a file."""
    with (machine.root / "report.json").open("wb") as report:
        machine.process = subprocess.Popen(
            command(machine),
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


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """What a replay that nobody disturbed came to."""
    machine = Machine.clean(tmp_path_factory.mktemp("undisturbed"))
    begin(machine)
    return ended(machine)


def test_a_replay_trades_and_its_books_agree(undisturbed: Report) -> None:
    assert (undisturbed["cycles"], undisturbed["decisions"]) == (CYCLES, CYCLES)
    assert undisturbed["skipped"] == {}
    assert undisturbed["fills"] == undisturbed["orders"] > 0
    assert undisturbed["trades"] > 0
    assert (undisturbed["drift"], undisturbed["unbalanced"]) == ("0", 0)
    assert undisturbed["longest_entry_price_age_ms"] == 0
    assert [bot["bot_id"] for bot in undisturbed["bots"]] == ["one", "two"]
    assert len(undisturbed["ledger_sha256"]) == 64


@pytest.mark.critical
def test_interrupted_and_begun_again_it_comes_to_the_same_and_leaves_nothing_running(
    machine: Machine, undisturbed: Report
) -> None:
    process = begin(machine)
    wait_for_progress(machine)
    family = machine.family()
    assert machine.stop(signal.SIGINT) == 130
    assert [member for member in family if alive(member)] == []
    assert process.returncode == 130

    begin(machine)
    assert ended(machine) == undisturbed


@pytest.mark.critical
def test_whoever_is_killed_on_the_way_it_comes_to_the_same(
    machine: Machine, undisturbed: Report
) -> None:
    """First the servers, then the worker, then everything at once."""
    begin(machine)
    wait_for_progress(machine)
    kill(machine, "redis", "simulator")
    kill(machine, "temporal", "postgres")
    wait_for_progress(machine)
    kill(machine, "worker")
    wait_for_progress(machine)
    kill_everything(machine)

    begin(machine)
    assert ended(machine) == undisturbed


def refused(machine: Machine, *wishes: str) -> tuple[int, str]:
    """Exit code and sentence of a replay that must not begin."""
    ran = machine.run("replay", *wishes, "--json")
    assert ran.stdout == ""
    assert not (machine.home / "replays").exists()
    return ran.returncode, json.loads(ran.stderr)["message"]


def test_a_broken_candle_file_is_refused_with_its_line_before_anything_starts(
    machine: Machine, tmp_path: Path
) -> None:
    lines = ["ts,open,high,low,close,volume", "1735689600000,1,2,3,2,1"]
    (tmp_path / "BTC-USDT-5m.csv").write_text("\n".join(lines))
    code, told = refused(machine, "--candles", str(tmp_path), "--from", FROM, "--to", TO)
    assert code == 2
    assert "BTC-USDT-5m.csv, line 2: high" in told


def test_wishes_that_cannot_be_are_refused_before_anything_starts(machine: Machine) -> None:
    assert refused(machine, "--from", TO, "--to", FROM)[0] == 2
    assert refused(machine, "--from", FROM, "--to", TO, "--name", "../up")[0] == 2
