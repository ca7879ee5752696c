"""Houses for bots, on Temporal's time-skipping server and on its dev server."""

import time
from collections.abc import AsyncIterator

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.support.house import House
from tests.support.temporal_server import (
    dev_server,
    temporal_program,
    terse_server,
    time_skipping_server,
)

__all__ = ["dev_server", "temporal_program", "terse_server", "time_skipping_server"]


@pytest.fixture
def empty_house(time_skipping_server: WorkflowEnvironment) -> House:
    """A house where time is skipped, without a worker."""

    async def server_time() -> int:
        return int((await time_skipping_server.get_current_time()).timestamp() * 1000)

    return House(time_skipping_server, server_time)


@pytest.fixture
async def house(empty_house: House) -> AsyncIterator[House]:
    """A house where time is skipped, with its worker at work."""
    async with empty_house.worker():
        yield empty_house
        await empty_house.end()


@pytest.fixture
def empty_real_house(dev_server: WorkflowEnvironment) -> House:
    """A house on the dev server, in real time, without a worker."""
    return House(dev_server, machine_time)


@pytest.fixture
def terse_house(terse_server: WorkflowEnvironment) -> House:
    """A house on a server that calls short histories long, in real time, without a worker."""
    return House(terse_server, machine_time)


@pytest.fixture
async def real_house(empty_real_house: House) -> AsyncIterator[House]:
    """A house on the dev server, in real time, with its worker at work."""
    async with empty_real_house.worker():
        yield empty_real_house
        await empty_real_house.end()


async def machine_time() -> int:
    """Tell this machine's time (ms)."""
    return time.time_ns() // 1_000_000
