"""A data directory, ports and settings of a test's own."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import psutil
import pytest

from oxbot.embedded.child import Program
from oxbot.embedded.paths import DataDirectory
from oxbot.settings import Settings
from tests.support.ports import free_port

SLEEPER = "import time; print('awake', flush=True); time.sleep(300)"
"""A program that does nothing for longer than any test."""

Until = Callable[[Callable[[], bool]], Awaitable[None]]


@pytest.fixture
def data(tmp_path: Path) -> DataDirectory:
    directory = DataDirectory(tmp_path / "home")
    directory.make()
    return directory


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of a machine where nothing is set, on ports that are free."""
    monkeypatch.chdir(tmp_path)
    for name in ("TEMPORAL_ADDRESS", "DATABASE_URL", "REDIS_URL", "OXBOT_SIMULATOR_URL"):
        monkeypatch.delenv(name, raising=False)
    return Settings(
        home=tmp_path / "home",
        temporal_port=free_port(),
        temporal_ui_port=free_port(),
        api_port=free_port(),
        simulator_port=free_port(),
        model_server_port=free_port(),
    )


@pytest.fixture
def until() -> Until:
    """Wait for something that another process does; the test's time limit is the limit."""

    async def wait(condition: Callable[[], bool]) -> None:
        while not condition():  # noqa: ASYNC110 - it is outside this process
            await asyncio.sleep(0.02)

    return wait


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Whatever a test does, it leaves no process."""
    before = set(psutil.Process().children())
    yield
    left = [process for child in _children_since(before) for process in _family(child)]
    for process in left:
        process.kill()
    assert left == []


def _children_since(before: set[psutil.Process]) -> list[psutil.Process]:
    """Our own new children: servers that all tests share have new ones of theirs at any time."""
    return [child for child in psutil.Process().children() if child not in before]


def _family(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def python(data: DataDirectory, code: str, name: str = "program") -> Program:
    """A program of a few lines of Python."""
    return Program(name, (sys.executable, "-u", "-c", code), data.log(name))
