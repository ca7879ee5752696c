"""`oxbot demo` as a newcomer meets it: on real servers, from nothing, and again."""

import json
import re
import signal
import subprocess
from typing import Any

import pexpect
import psutil
import pytest

from tests.e2e.system_process import OXBOT, Machine, alive

Report = dict[str, Any]  # Any: JSON

LEDGER = ("equity", "cash", "positions", "drift", "totals")

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def cycles(machine: Machine, count: int, *more: str) -> Report:
    ran = machine.run("demo", "--cycles", str(count), "--json", *more)
    assert ran.returncode == 0, ran.stderr
    report: Report = json.loads(ran.stdout)
    return report


def on_a_terminal(machine: Machine, *more: str) -> "pexpect.spawn[str]":
    return pexpect.spawn(
        OXBOT[0],
        [*OXBOT[1:], "demo", *more],
        env={**machine.environment, "TERM": "xterm"},
        cwd=str(machine.root),
        dimensions=(40, 80),
        encoding="utf-8",
        timeout=120,
    )


def interrupted(terminal: "pexpect.spawn[str]") -> int | None:
    """Press Ctrl-C, wait for the end, give the exit code; no process may be left."""
    family = psutil.Process(terminal.pid).children(recursive=True)
    terminal.sendintr()
    terminal.expect("goes on from here")
    terminal.expect(pexpect.EOF)
    terminal.close()
    code: int | None = terminal.exitstatus
    assert [process for process in family if alive(process)] == []
    return code


@pytest.mark.critical
def test_fifteen_cycles_bring_an_entry_and_a_stop_and_again_the_same(machine: Machine) -> None:
    """In two parts and in one, from nothing: the same market gives the same ledger."""
    first = cycles(machine, 3)
    assert (first["cycles"], first["first_cycle"], first["last_cycle"]) == (3, 1, 3)
    assert (first["decisions"], first["skipped"], first["drift"]) == (3, 0, "0")
    assert first["fills"] >= 1
    assert first["positions"]
    assert 0 < first["seconds_to_first_decision"] <= first["seconds"]

    second = cycles(machine, 12)
    assert (second["first_cycle"], second["last_cycle"]) == (4, 15)
    assert (second["cycles"], second["skipped"], second["drift"]) == (12, 0, "0")
    exits = dict(second["exits"])
    assert exits["stop"] >= 1
    assert exits.pop("total") == sum(exits.values())
    life = second["totals"]
    assert life["cycles"] == 15
    assert life["orders"] == first["orders"] + second["orders"]
    assert life["fills"] == first["fills"] + second["fills"]

    (machine.home / "notes.txt").write_text("mine")
    again = cycles(machine, 15, "--fresh", "--yes")
    assert (again["first_cycle"], again["last_cycle"]) == (1, 15)
    assert [again[key] for key in LEDGER] == [second[key] for key in LEDGER]
    assert (machine.home / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("provider", ["dashscope", "openai"])
def test_the_real_client_of_a_provider_decides_by_the_server_of_the_demo(
    machine: Machine, provider: str
) -> None:
    report = cycles(machine, 2, "--provider", provider)
    assert (report["cycles"], report["decisions"], report["skipped"]) == (2, 2, 0)
    assert report["drift"] == "0"
    assert report["orders"] >= 1

    other = machine.run("demo", "--cycles", "1", "--json")
    assert other.returncode == 4
    told = json.loads(other.stderr.splitlines()[-1])
    assert told["error"] == "Conflict"
    assert f"--provider {provider}" in told["message"]


def test_a_provider_that_nobody_knows_is_told_before_anything_starts(machine: Machine) -> None:
    refused = machine.run("demo", "--provider", "oracle")
    assert refused.returncode == 2
    assert "there are: baseline, dashscope, openai" in refused.stderr
    assert not machine.home.exists()


def test_on_a_terminal_it_shows_the_bot_until_ctrl_c_and_the_next_start_goes_on(
    machine: Machine,
) -> None:
    terminal = on_a_terminal(machine, "--speed", "300")
    terminal.expect("cycle 2")
    terminal.expect(r"BTC +[\d,]+\.\d\d")
    terminal.expect(r"decision \(baseline\)")
    terminal.expect("oxbot temporal workflow list")
    shown = json.loads(machine.run("bots", "show", "demo", "--json").stdout)
    last = shown["cycles"][0]["cycle"]
    assert interrupted(terminal) == 0

    again = on_a_terminal(machine, "--speed", "300")
    again.expect("ticks were missed|tick was missed")
    assert interrupted(again) == 0
    report = cycles(machine, 1)
    assert report["first_cycle"] > last + 1
    assert report["drift"] == "0"


def test_without_a_terminal_it_writes_plain_lines(machine: Machine) -> None:
    with (machine.root / "up.out").open("wb") as output:
        machine.process = subprocess.Popen(
            [*OXBOT, "demo", "--speed", "300"],
            env=machine.environment,
            cwd=machine.root,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    machine.wait_for("cycle 2 at")
    assert machine.stop(signal.SIGINT) == 0
    assert "equity" in machine.output
    assert "decision (baseline)" in machine.output
    assert not ESCAPE.search(machine.output)


def test_a_second_demo_on_the_same_directory_is_told_who_is_there(machine: Machine) -> None:
    machine.start()
    second = machine.run("demo", "--cycles", "1", "--json")
    assert second.returncode == 1
    assert second.stdout == ""
    error = json.loads(second.stderr.splitlines()[-1])
    assert error["error"] == "SetupError"
    assert f"process {machine.supervisor.pid}" in error["message"]


def test_fresh_deletes_nothing_unless_somebody_says_yes(machine: Machine) -> None:
    (machine.home / "postgres").mkdir(parents=True)
    refused = machine.run("demo", "--cycles", "1", "--fresh")
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert (machine.home / "postgres").exists()

    terminal = on_a_terminal(machine, "--fresh")
    terminal.expect("Delete all bots, orders and histories in")
    terminal.sendline("n")
    terminal.expect(pexpect.EOF)
    assert (machine.home / "postgres").exists()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--json",), "--cycles"),
        (("--cycles", "3", "--speed", "9"), "--speed"),
        (("--speed", "fast"), "--speed is 'fast'"),
    ],
)
def test_wishes_that_do_not_fit_together_are_refused_before_anything_starts(
    machine: Machine, arguments: tuple[str, ...], complaint: str
) -> None:
    ran = machine.run("demo", *arguments)
    assert ran.returncode == 2
    assert complaint in ran.stderr
    assert not machine.home.exists()
