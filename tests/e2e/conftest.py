"""Machines for tests, on which nothing is left afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.system_process import Machine, alive
from tests.support.processes import kill_all


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with clean(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A system that runs, for tests of a module that mind only bots of their own."""
    with clean(tmp_path_factory.mktemp("system")) as made:
        made.start()
        yield made


@contextmanager
def clean(root: Path) -> Iterator[Machine]:
    """A machine on which nothing is left afterwards."""
    made = Machine.clean(root)
    yield made
    if made.process is None or made.ended:
        return
    family = [made.supervisor, *made.family()]
    made.process.kill()
    made.process.wait()
    kill_all(process for process in family if alive(process))
