"""A data directory, ports and settings of a test's own."""

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import psutil
import pytest

from oxbot.embedded.child import Program
from oxbot.embedded.paths import DataDirectory
from oxbot.settings import Settings

SLEEPER = "import time; print('awake', flush=True); time.sleep(300)"
"""A program that does nothing for longer than any test."""

Until = Callable[[Callable[[], bool]], Awaitable[None]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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
    before = set(psutil.Process().children(recursive=True))
    yield
    left = [p for p in psutil.Process().children(recursive=True) if p not in before]
    for process in left:
        process.kill()
    assert left == []


def python(data: DataDirectory, code: str, name: str = "program") -> Program:
    """A program of a few lines of Python."""
    return Program(name, (sys.executable, "-u", "-c", code), data.log(name))
