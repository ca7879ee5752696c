"""A machine for each test, on which nothing is left afterwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.system_process import Machine, alive


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine.clean(tmp_path)
    yield made
    if made.process is None or made.ended:
        return
    family = [made.supervisor, *made.family()]
    made.process.kill()
    made.process.wait()
    for process in family:
        if alive(process):
            process.kill()
