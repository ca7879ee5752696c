"""`oxbot bots ...` on a running system."""

import json
from decimal import Decimal
from typing import Any

import pexpect

from tests.e2e.system_process import OXBOT, Machine


def answer(machine: Machine, *arguments: str) -> Any:  # noqa: ANN401 - JSON
    ran = machine.run("bots", *arguments, "--json")
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def failure(machine: Machine, *arguments: str) -> tuple[int, str]:
    ran = machine.run("bots", *arguments, "--json")
    assert ran.stdout == ""
    return ran.returncode, json.loads(ran.stderr)["error"]


def test_without_a_system_a_verb_says_how_to_start_one(machine: Machine) -> None:
    ran = machine.run("bots", "list")
    assert ran.returncode == 1
    assert "oxbot up" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_bot_is_made_paused_resumed_and_stopped_from_the_command_line(machine: Machine) -> None:
    machine.start()
    made = answer(machine, "create", "--symbols", "btc,eth", "--id", "b1", "--stop", "2%")
    assert made["settings"]["symbols"] == ["BTC/USDT", "ETH/USDT"]
    assert made["settings"]["limits"]["stop"] == "0.02"
    assert failure(machine, "create", "--id", "b1") == (4, "Conflict")
    assert failure(machine, "create", "--provider", "oracle") == (2, "InputError")
    assert failure(machine, "show", "b2") == (3, "NotFound")
    assert [line["bot"]["id"] for line in answer(machine, "list")] == ["b1"]

    assert answer(machine, "pause", "b1", "--reason", "lunch")["status"] == "paused"
    page = answer(machine, "show", "b1")
    assert page["view"]["status"] == page["bot"]["status"] == "paused"
    assert any("lunch" in json.dumps(event) for event in page["events"])
    assert answer(machine, "resume", "b1")["status"] == "running"
    assert answer(machine, "stop", "b1")["status"] in ("closing", "stopped")
    assert machine.run("bots", "list").stdout.count("b1") == 1


def test_on_a_terminal_it_asks_and_shows_what_it_will_make(machine: Machine) -> None:
    machine.start()
    terminal = pexpect.spawn(
        OXBOT[0],
        [*OXBOT[1:], "bots", "create", "--id", "asked"],
        env=machine.environment,
        cwd=str(machine.root),
        dimensions=(40, 80),
        encoding="utf-8",
        timeout=120,
    )
    for question, reply in (
        ("Coins", "BTC,BTC"),
        ("Named twice", "sol"),
        ("Capital", "500"),
        ("Seconds", ""),
        ("Name", "Mine"),
    ):
        terminal.expect(question)
        terminal.sendline(reply)
    terminal.expect("Mine: SOL/USDT, paper on okx-simulated")
    terminal.expect("Make and start")
    terminal.sendline("y")
    terminal.expect("oxbot bots show asked")
    terminal.expect(pexpect.EOF)
    page = answer(machine, "show", "asked")
    assert Decimal(page["bot"]["settings"]["capital"]) == 500


def test_a_symbol_that_the_venue_does_not_list_is_refused_with_the_nearest(
    machine: Machine,
) -> None:
    machine.start()
    ran = machine.run("bots", "create", "--symbols", "BTX", "--json")
    assert ran.returncode == 2
    assert "nearest: BTC/USDT" in json.loads(ran.stderr)["message"]
    assert answer(machine, "list") == []
