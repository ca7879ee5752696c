"""A live bot against the simulated exchange on a bad day: account and ledger are one."""

import json
from pathlib import Path

import pytest

from tests.e2e.replays import begin, ended, kill, wait_for_progress
from tests.e2e.system_process import Machine

pytestmark = pytest.mark.critical

BOTS = [{"id": "live", "settings": {"mode": "live", "limits": {"cooldown_s": 0}}}]

FROM, TO = "2025-04-07T23:50:00Z", "2025-04-08T01:50:00Z"
CYCLES = 24

ORDERS = "trade/batch-orders"
LOST: list[dict[str, object]] = [
    {"kind": kind, "endpoint": ORDERS, "when": when}
    for kind in ("reset", "html", "empty", "http_502")
    for when in ("before", "after")
]
OTHERS: list[dict[str, object]] = [
    {"kind": "truncated", "endpoint": ORDERS},
    {"kind": "duplicate_ack", "endpoint": ORDERS},
    {"kind": "delayed_visibility", "endpoint": ORDERS, "hidden_ms": 2_000},
    {"kind": "stop_rejected", "endpoint": ORDERS},
    {"kind": "partial", "share": "0.5", "endpoint": ORDERS},
    {"kind": "html", "endpoint": "trade/order"},
    {"kind": "html", "endpoint": "trade/fills-history"},
    {"kind": "empty", "endpoint": "trade/order-algo", "when": "after"},
    {"kind": "empty", "endpoint": "trade/cancel-algos", "when": "after"},
    {"kind": "empty", "endpoint": "trade/amend-algos", "when": "after"},
]
CHANCE = 0.02
"""Of each of them, at each request."""


def faults(folder: Path) -> str:
    """The file of rules, a path for the command line."""
    file = folder / "faults.json"
    rules = [
        {"id": f"chance-{number}", "probability": CHANCE, "seed": number, **rule}
        for number, rule in enumerate((*LOST, *OTHERS))
    ]
    file.write_text(json.dumps(rules))
    return str(file)


def test_a_killed_live_bot_whose_orders_fail_in_every_way_has_what_its_account_has(
    machine: Machine,
) -> None:
    """A replay that ends well has compared the account with the ledger, to the last digit."""
    rules = faults(machine.root)
    begin(machine, "--from", FROM, "--to", TO, "--faults", rules, bots=BOTS)
    wait_for_progress(machine)
    kill(machine, "worker")
    wait_for_progress(machine)
    kill(machine, "simulator", "worker")
    report = ended(machine)
    assert report["cycles"] == CYCLES
    assert report["fills"] >= report["orders"] // 2 > 2
    assert (report["drift"], report["unbalanced"]) == ("0", 0)
