"""`oxbot bots reconcile --write-off` against the whole system: a person has spent a bot's USDT."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pexpect
import pytest

from oxbot.adapters.venue_control import VenueControl
from tests.e2e.conftest import clean
from tests.e2e.system_process import OXBOT, Machine
from tests.e2e.test_live_doors import LIVE, create, make_account, simulator
from tests.support.simulated_account import okx_client

pytestmark = pytest.mark.critical


async def spend(machine: Machine, usdt: str) -> None:
    """Have a person buy ETH by hand."""
    async with VenueControl(simulator(machine)) as venue:
        now_ms = (await venue.time()).venue_ms
    okx = okx_client(simulator(machine))
    okx.nonce = lambda: now_ms
    try:
        await okx.private_post_trade_order(
            {
                "instId": "ETH-USDT",
                "tdMode": "cash",
                "side": "buy",
                "ordType": "market",
                "tgtCcy": "quote_ccy",
                "sz": usdt,
                "clOrdId": "byhand1",
            }
        )
    finally:
        await okx.close()


def reconcile(machine: Machine, *more: str) -> tuple[int, dict[str, Any]]:  # Any: as JSON has it
    """Gives the exit code and what was found."""
    ran = machine.run("bots", "reconcile", *more, "--json")
    return ran.returncode, json.loads(ran.stdout or ran.stderr)


def asked(machine: Machine, answer: str) -> str:
    """Write off on a terminal; gives what was said."""
    terminal = pexpect.spawn(
        OXBOT[0],
        [*OXBOT[1:], "bots", "reconcile", "b1", "--write-off", "--reason", "spent"],
        env=machine.environment,
        cwd=str(machine.root),
        dimensions=(40, 200),
        encoding="utf-8",
        timeout=120,
    )
    terminal.expect(r"Write [0-9.]+ USDT off the books of bot b1, as a loss, for good\?")
    question = str(terminal.match.group())
    terminal.sendline(answer)
    terminal.expect(pexpect.EOF)
    return question + str(terminal.before)


def test_what_a_person_has_spent_is_written_off_once_he_confirms_the_figures(
    tmp_path: Path,
) -> None:
    with clean(tmp_path) as machine:
        machine.environment = {**machine.environment, **LIVE}
        machine.start()
        make_account(machine, key="key1", balances={"USDT": "1000"})
        assert create(machine, "--live", "--id", "b1", "--capital", "900")[0] == 0
        assert create(machine, "--id", "p1")[0] == 0

        code, said = reconcile(machine, "b1", "--write-off", "--yes")
        assert (code, "Record and account agree" in said["message"]) == (4, True)
        code, said = reconcile(machine, "p1", "--write-off", "--yes")
        assert (code, "trades on paper" in said["message"]) == (2, True)

        over = ("--over", "bnone", "--yes")
        code, said = reconcile(machine, "b1", *over)
        assert (code, "has no order or stop bnone" in said["message"]) == (3, True)
        code, said = reconcile(machine, "p1", *over)
        assert (code, "trades on paper" in said["message"]) == (2, True)
        code, said = reconcile(machine, "b1", *over[:2])
        assert (code, "say --yes" in said["message"]) == (2, True)
        code, said = reconcile(machine, "b1", *over, "--write-off")
        assert (code, "one after the other" in said["message"]) == (2, True)

        asyncio.run(spend(machine, "250"))
        code, found = reconcile(machine, "b1")
        assert (code, len(found["differs"])) == (1, 1)
        lost = Decimal(found["losses"]["USDT"])
        assert Decimal(140) < lost < Decimal(160)

        code, said = reconcile(machine, "b1", "--write-off")
        assert (code, "say --yes" in said["message"]) == (2, True)
        refused = asked(machine, "n")
        assert f"{lost} USDT" in refused
        assert reconcile(machine, "b1")[0] == 1

        assert f"written off: {lost} USDT" in asked(machine, "y")
        assert reconcile(machine, "b1")[0] == 0
        assert reconcile(machine, "b1", "--write-off", "--yes")[0] == 4

        page = json.loads(machine.run("bots", "show", "b1", "--json").stdout)
        assert Decimal(page["cash"]) == Decimal(900) - lost
        audit = json.loads(machine.run("audit", "ledger", "b1", "--json").stdout)
        assert Decimal(audit["drift"]) == audit["unbalanced"] == 0
        [told] = [event for event in page["events"] if event["kind"] == "written_off"]
        assert told["figures"]["reason"] == "spent"
        assert Decimal(told["figures"]["USDT"]) == lost
        assert machine.stop() == 0
