"""A bad day at the exchange: random faults, a stream that drops, and ten minutes of nothing."""

import json
from pathlib import Path

import pytest

from oxbot.simulator.venue_time import parse_iso
from tests.e2e.killed_system import kill_everything
from tests.e2e.replays import CYCLES, Report, begin, ended, kill, wait_for_progress
from tests.e2e.system_process import Machine

OUTAGE_MS = parse_iso("2025-04-08T00:20:00Z")
MINUTE_MS = 60_000

KINDS: tuple[dict[str, str], ...] = (
    *({"kind": kind} for kind in ("reset", "truncated", "html", "empty", "nulls")),
    *({"kind": kind} for kind in ("http_429", "http_502")),
    *({"kind": "code", "code": code} for code in ("50001", "50011", "50013", "50061")),
)

CHANCE = 0.05
"""That a request goes wrong, in one of these ways."""

RULES: list[dict[str, object]] = [
    *(
        {"id": f"chance-{number}", "probability": CHANCE / len(KINDS), "seed": 3, **kind}
        for number, kind in enumerate(KINDS)
    ),
    {"id": "drop", "kind": "ws_drop", "every_ms": 10 * MINUTE_MS},
    {
        "id": "outage",
        "kind": "http_502",
        "from_ms": OUTAGE_MS,
        "to_ms": OUTAGE_MS + 10 * MINUTE_MS,
    },
]


def faults(folder: Path) -> str:
    """The file of rules, a path for the command line."""
    file = folder / "faults.json"
    file.write_text(json.dumps(RULES))
    return str(file)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """What the bad day came to where no process was killed."""
    machine = Machine.clean(tmp_path_factory.mktemp("bad-day"))
    begin(machine, "--faults", faults(machine.root))
    return ended(machine)


@pytest.mark.critical
def test_only_the_outage_costs_cycles_and_each_names_its_cause(undisturbed: Report) -> None:
    skipped = undisturbed["skipped"]
    assert undisturbed["cycles"] == CYCLES
    assert sum(skipped.values()) == 4, skipped
    assert {cause.split(":")[0] for cause in skipped} == {"observe_market"}
    assert {cause.split(": ")[1] for cause in skipped} <= {"CircuitOpen", "VenueUnavailable"}
    assert undisturbed["decisions"] == CYCLES - 4


@pytest.mark.critical
def test_no_entry_rests_on_an_old_price_and_the_books_agree(undisturbed: Report) -> None:
    assert undisturbed["fills"] == undisturbed["orders"] > 0
    assert undisturbed["longest_entry_price_age_ms"] == 0
    assert (undisturbed["drift"], undisturbed["unbalanced"]) == ("0", 0)


@pytest.mark.critical
def test_killed_on_a_bad_day_it_comes_to_the_same(machine: Machine, undisturbed: Report) -> None:
    rules = faults(machine.root)
    begin(machine, "--faults", rules)
    wait_for_progress(machine)
    kill(machine, "simulator", "redis")
    wait_for_progress(machine)
    kill_everything(machine)
    begin(machine, "--faults", rules)
    assert ended(machine) == undisturbed
