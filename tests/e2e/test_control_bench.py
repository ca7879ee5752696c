"""An answered pause and then SIGKILL for everything, in the short form of the benchmark."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

CONTROL = Path(__file__).parents[2] / "bench" / "control.py"


@pytest.mark.critical
def test_an_answered_pause_holds_after_everything_was_killed_at_once() -> None:
    command = [sys.executable, str(CONTROL), "--runs", "2", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert (found["held"], found["of"], done.returncode) == (2, 2, 0), done.stderr
