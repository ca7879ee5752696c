"""A whole system that is killed in the middle of its work, and what must be left of it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import psutil

from oxbot.adapters.postgres.schema import CycleState
from oxbot.adapters.venue_control import VenueControl
from oxbot.app.bots import Desk, create_bot
from oxbot.app.stepped import drive
from oxbot.bootstrap import PROVIDERS, open_desk
from oxbot.bootstrap.addresses import resolve
from oxbot.domain.bot import BotSettings
from oxbot.domain.errors import Unavailable
from oxbot.messages import BotView
from oxbot.records import CycleRow
from oxbot.settings import Settings
from oxbot.simulator.venue_time import parse_iso
from tests.e2e.stepped_bots import SHOWING, Books
from tests.e2e.system_process import Machine
from tests.support.processes import kill_all

BEGUN = CycleState.BEGUN.value
"""State of a cycle that has not ended."""


@asynccontextmanager
async def at_desk(machine: Machine) -> AsyncIterator[tuple[Desk, VenueControl]]:
    """The desk of a running system, and the hand on its venue's clock."""
    alone = Settings(home=machine.home, database_url=None, redis_url=None, temporal_address=None)
    settings = resolve(alone.model_copy(update={"simulator_url": None}))
    assert settings.simulator_url is not None
    async with open_desk(settings) as desk, VenueControl(settings.simulator_url) as venue:
        yield desk, venue


async def begin(desk: Desk, venue: VenueControl, *bot_ids: str) -> None:
    """Make bots on a venue that stands still where entries are about to come."""
    await venue.stand_still()
    await venue.advance_to(parse_iso(SHOWING))
    for bot_id in bot_ids:
        await create_bot(desk, BotSettings(name=bot_id), PROVIDERS, bot_id)


async def step(desk: Desk, venue: VenueControl, bot_id: str, cycles: int) -> Books:
    """Run so many cycles of a bot on a venue that stands still between them."""
    async for _ in drive(desk, venue, bot_id, cycles):
        pass
    return await Books.of(desk, bot_id)


async def hold_in_the_middle_of_a_cycle(machine: Machine, desk: Desk, bot_id: str) -> int:
    """Hold the worker between the decision and the end of a cycle; the cycle's number."""
    children = json.loads((machine.home / "children.json").read_text())
    worker = psutil.Process(children["worker"]["pid"])
    while True:
        await _until(desk, bot_id, lambda row: row.state == BEGUN)
        worker.suspend()
        [row] = await desk.store.cycles(bot_id, 1)
        if row.state == BEGUN and await desk.store.decision(bot_id, row.cycle):
            return row.cycle
        worker.resume()


async def until_ended(desk: Desk, bot_id: str, cycle: int) -> Books:
    """Wait until a cycle has ended."""
    await _until(desk, bot_id, lambda row: row.cycle >= cycle and row.state != BEGUN)
    return await Books.of(desk, bot_id)


async def _until(desk: Desk, bot_id: str, holds: Callable[[CycleRow], bool]) -> None:
    """Wait until something holds of the last cycle."""
    while not holds((await desk.store.cycles(bot_id, 1))[0]):  # noqa: ASYNC110 - PostgreSQL tells nobody
        await asyncio.sleep(0.01)


async def until_answered(desk: Desk, bot_id: str) -> BotView:
    """Ask a bot for its state until it answers, however busy its machine is."""
    while True:
        with suppress(Unavailable):
            return await desk.control.view(bot_id)


async def until_started(desk: Desk, bot_id: str) -> None:
    """Wait until a bot has a workflow again."""
    while not await desk.control.is_running(bot_id):  # noqa: ASYNC110 - it is outside this process
        await asyncio.sleep(0.1)


def kill_everything(machine: Machine) -> None:
    """SIGKILL for every process of the system, so that none can end in good order."""
    assert machine.process is not None
    supervisor = machine.supervisor
    supervisor.suspend()
    family = machine.family()
    kill_all([*family, supervisor])
    machine.process.wait()
    psutil.wait_procs(family)


def must_go_on_from(before: Books, after: Books) -> None:
    """What was held is held, or was sold by a trade on record; the books agree to the digit."""
    assert after.agree
    assert after.orders[-len(before.orders) :] == before.orders
    assert after.trades[len(after.trades) - len(before.trades) :] == before.trades
    sold = {(trade.symbol, trade.opened_ms) for trade in after.trades}
    for symbol, position in before.portfolio.positions.items():
        now = after.portfolio.positions.get(symbol)
        assert now == position or (symbol, position.opened_ms) in sold
