"""A worker that is gone: another process tells of unprotected positions, and of the end of that."""

import asyncio
import json
from decimal import Decimal

import psutil
import pytest

from oxbot.adapters.postgres.engine import open_engine
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.app.bots import Desk, create_bot
from oxbot.bootstrap import PROVIDERS
from oxbot.bootstrap.addresses import resolve
from oxbot.domain.alarm import PROTECTED_AGAIN, UNPROTECTED
from oxbot.domain.bot import BotSettings
from oxbot.settings import Settings
from tests.e2e.killed_system import at_desk
from tests.e2e.system_process import Machine
from tests.support.trading import bought

LONG_AGO = 1_000_000
"""A cycle number that the bot does not come to."""


@pytest.mark.critical
async def test_a_worker_that_is_killed_rings_the_alarm_and_its_successor_ends_it(
    machine: Machine,
) -> None:
    machine.start()
    async with at_desk(machine) as (desk, _):
        await create_bot(desk, BotSettings(name="held", interval_s=86_400), PROVIDERS, "held")
        await hold(machine)
        await until_guarded(desk)
        await expect(desk)
        machine.supervisor.suspend()
        worker_of(machine).kill()
        await expect(desk, UNPROTECTED)
        machine.supervisor.resume()
        await expect(desk, PROTECTED_AGAIN, UNPROTECTED)


async def hold(machine: Machine) -> None:
    """Put a position on record whose stop and target are out of reach."""
    alone = Settings(home=machine.home, database_url=None, redis_url=None, temporal_address=None)
    store = PostgresStore(open_engine(resolve(alone).database_url or ""))
    await bought(store, "held", LONG_AGO, stop=Decimal("0.9"), target=Decimal(9))
    await store.close()


def worker_of(machine: Machine) -> psutil.Process:
    children = json.loads((machine.home / "children.json").read_text())
    return psutil.Process(children["worker"]["pid"])


async def until_guarded(desk: Desk) -> None:
    while True:
        report = await desk.board.feed_status(desk.venue)
        if report is not None and report.guarded:
            return
        await asyncio.sleep(0.1)


async def expect(desk: Desk, *kinds: str) -> None:
    """Wait until these are the events of alarms, newest first."""
    while True:
        told = [event.kind for event in await desk.store.events("held", 50)]
        alarms = [kind for kind in told if kind in (UNPROTECTED, PROTECTED_AGAIN)]
        if alarms == list(kinds):
            return
        await asyncio.sleep(0.1)
