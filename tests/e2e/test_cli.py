"""`oxbot bots ...` on a running system."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import pexpect
from sqlalchemy import text

from oxbot.adapters.postgres.engine import open_engine
from oxbot.bootstrap.addresses import resolve
from oxbot.settings import Settings
from tests.e2e.system_process import OXBOT, Machine, wait_until


def answer(machine: Machine, *arguments: str) -> Any:  # noqa: ANN401 - JSON
    ran = machine.run("bots", *arguments, "--json")
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def failure(machine: Machine, *arguments: str) -> tuple[int, str]:
    ran = machine.run("bots", *arguments, "--json")
    assert ran.stdout == ""
    return ran.returncode, json.loads(ran.stderr)["error"]


def bots(machine: Machine) -> set[str]:
    """The ids of all bots."""
    return {line["bot"]["id"] for line in answer(machine, "list")}


def test_without_a_system_a_verb_says_how_to_start_one(machine: Machine) -> None:
    ran = machine.run("bots", "list")
    assert ran.returncode == 1
    assert "oxbot up" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_bot_is_made_paused_resumed_and_stopped_from_the_command_line(system: Machine) -> None:
    before = bots(system)
    wishes = ("--symbols", "btc,eth", "--stop", "2%", "--gate", "15", "--prompt", "2-now")
    made = answer(system, "create", "--id", "b1", *wishes)
    assert made["settings"]["symbols"] == ["BTC/USDT", "ETH/USDT"]
    assert made["settings"]["limits"]["stop"] == "0.02"
    assert (made["settings"]["gate_bp"], made["settings"]["prompt_version"]) == ("15", "2-now")
    assert failure(system, "create", "--id", "b1") == (4, "Conflict")
    assert failure(system, "create", "--provider", "oracle") == (2, "InputError")
    assert failure(system, "create", "--prompt", "7") == (2, "InputError")
    assert failure(system, "show", "b2") == (3, "NotFound")
    assert bots(system) == before | {"b1"}

    assert answer(system, "pause", "b1", "--reason", "lunch")["status"] == "paused"
    page = answer(system, "show", "b1")
    assert page["view"]["status"] == page["bot"]["status"] == "paused"
    assert any("lunch" in json.dumps(event) for event in page["events"])
    assert answer(system, "resume", "b1")["status"] == "running"
    sold = answer(system, "flatten", "b1", "--reason", "the news")
    assert (sold["open_orders"], sold["positions"], sold["done"]) == (0, 0, True)
    every = system.run("bots", "flatten", "--all", "--yes")
    assert (every.returncode, "0 open orders, 0 positions" in every.stdout) == (0, True)
    assert answer(system, "show", "b1")["view"]["status"] == "paused"
    assert failure(system, "flatten") == (2, "InputError")
    assert failure(system, "flatten", "b2") == (3, "NotFound")
    assert answer(system, "stop", "b1")["status"] in ("closing", "stopped")
    assert system.run("bots", "list").stdout.count("b1") == 1


def test_a_bot_is_changed_ended_with_all_others_and_put_out_of_sight(system: Machine) -> None:
    answer(system, "create", "--id", "k1", "--symbols", "btc", "--interval", "86400")
    shown = system.run("bots", "settings", "k1").stdout
    assert "fixed" in shown
    changed = answer(system, "settings", "k1", "--set", "name=Calm", "--set", "gate_bp=5")
    assert changed["changed"] == ["name", "gate_bp"]
    assert failure(system, "settings", "k1", "--set", "capital=5") == (2, "InputError")
    assert failure(system, "close", "k1", "BTC") == (3, "NotFound")
    assert failure(system, "close", "k1", "BTC,ETH") == (2, "InputError")
    assert answer(system, "start", "k1")["started"] is False
    assert failure(system, "archive", "k1") == (4, "Conflict")

    assert failure(system, "stop", "k1", "--all") == (2, "InputError")
    every = answer(system, "stop", "--all", "--yes")
    assert {"k1"} <= {one["bot_id"] for one in every["bots"]}
    wait_until(lambda: answer(system, "show", "k1")["bot"]["status"] == "stopped")
    assert answer(system, "stop", "k1")["status"] == "stopped", "as it is already"
    assert failure(system, "start", "k1") == (4, "Conflict")
    assert answer(system, "archive", "k1", "--reason", "tidy")["archived_ms"]
    assert "k1" not in bots(system)
    assert "k1" in system.run("bots", "list", "--archived").stdout
    assert answer(system, "unarchive", "k1")["archived_ms"] is None
    assert "k1" in bots(system)


def test_limits_change_on_a_running_bot_and_the_books_are_audited(machine: Machine) -> None:
    machine.start()
    answer(machine, "create", "--symbols", "btc,eth", "--id", "b1")
    changed = answer(machine, "limits", "b1", "--set", "stop=2%", "--reason", "too wild")
    assert (changed["changed"], changed["limits"]["stop"], changed["recorded"]) == (
        ["stop"],
        "0.02",
        True,
    )
    shown = answer(machine, "limits", "b1")
    assert shown["epoch"] == changed["epoch"] == 2
    assert shown["limits"]["stop"]["value"] == "0.02"
    assert shown["limits"]["stop"]["default"] == "0.035"
    assert "reward:risk" in shown["limits"]["stop"]["rules"]
    for wish in ("stop=0", "nosuch=1", "max_position=86%", "target=1%", "stop=NaN"):
        assert failure(machine, "limits", "b1", "--set", wish) == (2, "InputError")
    page = answer(machine, "show", "b1")
    assert page["bot"]["epoch"] == 2
    assert any("stop from 0.035 to 0.02" in event["text"] for event in page["events"])
    ran = machine.run("audit", "ledger", "--json")
    assert (ran.returncode, json.loads(ran.stdout)["drift"]) == (0, "0")
    assert "1 of 1 agree" in machine.run("audit", "ledger", "b1").stdout
    assert machine.run("audit", "ledger", "b2").returncode == 3
    asyncio.run(write(machine, "UPDATE bots SET cash = cash + 0.000000000001"))
    ran = machine.run("audit", "ledger", "--json")
    assert (ran.returncode, json.loads(ran.stdout)["drift"]) == (1, "0.000000000001")
    assert "0 of 1 agree" in machine.run("audit", "ledger").stdout


async def write(machine: Machine, statement: str) -> None:
    """Change the record behind everybody's back."""
    alone = Settings(home=machine.home, database_url=None, redis_url=None, temporal_address=None)
    engine = open_engine(resolve(alone).database_url or "")
    async with engine.begin() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


def test_on_a_terminal_it_asks_and_shows_what_it_will_make(system: Machine) -> None:
    terminal = pexpect.spawn(
        OXBOT[0],
        [*OXBOT[1:], "bots", "create", "--id", "asked"],
        env=system.environment,
        cwd=str(system.root),
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
    page = answer(system, "show", "asked")
    assert Decimal(page["bot"]["settings"]["capital"]) == 500


def test_a_symbol_that_the_venue_does_not_list_is_refused_with_the_nearest(
    system: Machine,
) -> None:
    before = bots(system)
    ran = system.run("bots", "create", "--symbols", "BTX", "--json")
    assert ran.returncode == 2
    assert "nearest: BTC/USDT" in json.loads(ran.stderr)["message"]
    assert bots(system) == before
