"""Bots on stepped venues of their own, each with a worker of its own that may be killed.

One market for all, and ticks at the same times of the venue: whatever happens to a worker, all
bots must come to the same.
"""

import asyncio
import itertools
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from oxbot.adapters.venue_control import VenueControl
from oxbot.app.bots import Desk, create_bot
from oxbot.app.stepped import drive
from oxbot.bootstrap import PROVIDERS, open_desk
from oxbot.domain.bot import BotSettings
from oxbot.domain.errors import SetupError, Unavailable
from oxbot.domain.portfolio import Portfolio
from oxbot.domain.schedule import offset_ms
from oxbot.embedded.addresses import Addresses
from oxbot.embedded.child import Child, Program
from oxbot.loopback import HOST
from oxbot.messages import BotView
from oxbot.records import AuditFigures, CycleRow, OrderRow, TradeRow
from oxbot.settings import Settings
from oxbot.simulator.options import Options, open_venue
from oxbot.simulator.server import create_app
from tests.e2e import worlds

SHOWING = "2025-04-07T23:50:00Z"
"""Where the generated market has entries in the first cycles and stops soon after."""

ALL = 10_000
"""More rows than any of these bots writes."""

INTERVAL_MS = BotSettings(name="any").interval_s * 1000


def twin(number: int) -> str:
    """The id of a bot that ticks when the bot `demo` does."""
    when = offset_ms("demo", INTERVAL_MS)
    names = (f"twin{n}" for n in itertools.count())
    twins = (name for name in names if offset_ms(name, INTERVAL_MS) == when)
    return next(itertools.islice(twins, number, None))


@dataclass(frozen=True)
class Books:
    """All that is on record of a bot, newest first as the store gives it."""

    cycles: list[CycleRow]
    orders: list[OrderRow]
    trades: list[TradeRow]
    portfolio: Portfolio
    audit: AuditFigures

    @classmethod
    async def of(cls, desk: Desk, bot_id: str) -> "Books":
        store = desk.store
        return cls(
            cycles=[_timeless(row) for row in await store.cycles(bot_id, ALL)],
            orders=await store.orders(bot_id, ALL),
            trades=await store.trades(bot_id, ALL),
            portfolio=await store.portfolio(bot_id),
            audit=await store.audit(bot_id),
        )

    @property
    def numbers(self) -> list[int]:
        """The cycles' numbers, oldest first."""
        return [row.cycle for row in reversed(self.cycles)]

    @property
    def agree(self) -> bool:
        """Whether the books agree to the last digit."""
        return self.audit.drift == 0 and self.audit.unbalanced == 0

    @property
    def skipped(self) -> list[str]:
        return [f"{row.cycle}: {row.skipped}" for row in self.cycles if row.skipped]

    @property
    def ordered(self) -> list[OrderRow]:
        """The orders without their ids, which no two bots share."""
        return [order.model_copy(update={"id": ""}) for order in self.orders]


def _timeless(row: CycleRow) -> CycleRow:
    """The cycle without when it was written down, which is no cycle's doing."""
    return row.model_copy(update={"recorded_ms": None})


@dataclass
class SteppedBot:
    """One bot that a test drives.

    Args:
        bot_id: Its id, and its worker's task queue.
        desk: Where it is controlled.
        venue: The hand on its clock.
        deaths: Exit codes of its workers that have ended.
        marks: One file for each point at which a worker died.
    """

    bot_id: str
    desk: Desk
    venue: VenueControl
    marks: Path
    deaths: list[int] = field(default_factory=list)

    async def run(self, cycles: int) -> None:
        """Drive it through so many cycles; a worker that was killed is waited for."""
        left = cycles
        while left:
            try:
                async for report in drive(self.desk, self.venue, self.bot_id, left):
                    assert report.cycle is not None
                    left -= 1
            except (SetupError, Unavailable):
                await asyncio.sleep(0.1)

    async def books(self) -> Books:
        return await Books.of(self.desk, self.bot_id)

    async def until_recorded(self) -> BotView:
        """Wait until the record has the last change of control."""
        while True:
            view = await self.desk.control.view(self.bot_id)
            if (await self.desk.store.bot(self.bot_id)).epoch == view.epoch:
                return view
            await asyncio.sleep(0.1)

    @property
    def died_at(self) -> set[str]:
        return {mark.name for mark in self.marks.iterdir()}


@asynccontextmanager
async def simulated_okx() -> AsyncIterator[str]:
    """A simulated OKX that stands still in this process; its address."""
    venue = open_venue(Options(start=SHOWING, mode="stepped"))
    runner = web.AppRunner(create_app(venue), access_log=None, shutdown_timeout=0)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, 0).start()
        yield f"http://{HOST}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def stepped_bot(
    servers: Addresses, home: Path, number: int, points: Sequence[str]
) -> AsyncIterator[SteppedBot]:
    """A bot on shared servers, with everything in them its own; its worker dies at the points."""
    bot_id = twin(number)
    servers = await worlds.apart(servers, number)
    marks = home / f"{bot_id}-died"
    marks.mkdir()
    async with simulated_okx() as url:
        environment = {
            **servers.as_environment(),
            "TEMPORAL_NAMESPACE": worlds.namespace(number),
            "OXBOT_SIMULATOR_URL": url,
            "OXBOT_TASK_QUEUE": bot_id,
            "OXBOT_HOME": str(home),
        }
        program = Program(
            name=bot_id,
            command=(sys.executable, "-m", "tests.support.killing_worker", str(marks), *points),
            log=home / f"{bot_id}.log",
            environment=environment,
        )
        settings = Settings(
            home=home,
            database_url=servers.database_url,
            redis_url=servers.redis_url,
            temporal_address=servers.temporal,
            temporal_namespace=worlds.namespace(number),
            task_queue=bot_id,
            simulator_url=url,
        )
        async with open_desk(settings) as desk, VenueControl(url) as venue:
            bot = SteppedBot(bot_id, desk, venue, marks)
            async with _kept_alive(program, bot.deaths):
                await create_bot(desk, BotSettings(name=bot_id), PROVIDERS, bot_id)
                yield bot


@asynccontextmanager
async def _kept_alive(program: Program, deaths: list[int]) -> AsyncIterator[None]:
    """Start a program again as often as it ends."""
    running: list[Child] = []

    async def keep() -> None:
        while True:
            running[:] = [await Child.start(program)]
            deaths.append(await running[0].wait())
            assert deaths[-1] == -signal.SIGKILL, program.log.read_text()

    keeper = asyncio.create_task(keep())
    try:
        yield
    finally:
        keeper.cancel()
        with suppress(asyncio.CancelledError):
            await keeper
        for child in running:
            await child.stop()
