"""The matrix of kills and faults in its short form: one of each sort, and nothing goes wrong."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

MATRIX = Path(__file__).parents[2] / "bench" / "chaos.py"

NEVER = (
    "orders_doubled",
    "orders_lost",
    "positions_without_stop",
    "wrong_exits",
    "control_broken",
)


@pytest.mark.critical
def test_nothing_is_doubled_lost_or_naked_whatever_is_killed(tmp_path: Path) -> None:
    state = tmp_path / "runs.jsonl"
    command = [sys.executable, str(MATRIX), "--short", "--runs", "60", "--width", "12", "--json"]
    done = subprocess.run(
        [*command, "--state", str(state)], capture_output=True, text=True, check=False
    )
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert {name: found[name] for name in NEVER} == dict.fromkeys(NEVER, 0), done.stderr
    assert found["drift_usdt"] == "0", done.stderr
    assert found["never_hit"] == [], done.stderr
    besides = ["what they are of", "the account as a whole"]
    assert len(state.read_text().splitlines()) == found["runs"] + len(besides)
    assert done.returncode == 0
