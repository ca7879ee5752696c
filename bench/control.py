"""Whether an answered pause outlives everything.

A whole system runs in a scratch directory: supervisor, Temporal, PostgreSQL, Redis, simulator,
worker and API. A bot trades there, a tick every second. It is paused at some moment of a cycle,
and right after the answer every process gets SIGKILL, the supervisor first held so that it can
neither end anything in good order nor start it again. After the restart some ticks go by, in
which the next run's bot begins. The pause has held if the bot is paused by its record and by its
workflow, and no entry was sent after the answer but those that the answer itself has named.

With `--state FILE` finished runs are kept, and the same command goes on behind them.

Exit code 1: one did not hold.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from sqlalchemy import select

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests' hands on a whole system
from control_bench.progress import Progress, Run
from finished import head_of

from oxbot.adapters.postgres.engine import open_engine
from oxbot.adapters.postgres.schema import orders
from oxbot.adapters.venue_control import VenueControl
from oxbot.app.bots import Desk, create_bot, pause_bot, stop_bot
from oxbot.bootstrap import PROVIDERS
from oxbot.bootstrap.addresses import resolve
from oxbot.domain.bot import BotSettings, BotStatus
from oxbot.domain.orders import Purpose
from oxbot.logs import configure_logs
from oxbot.messages import ControlAnswer, ControlRequest
from oxbot.settings import Settings
from oxbot.simulator.venue_time import parse_iso
from tests.e2e.conftest import clean
from tests.e2e.killed_system import at_desk, kill_everything, until_answered
from tests.e2e.stepped_bots import SHOWING
from tests.e2e.system_process import Machine

SPEED = Decimal(300)
TICK_MS = 300_000
"""At this speed a tick every second."""

TICKS_AFTER = 3
"""So many ticks go by after the restart: undisturbed, a bot of this market enters within them."""

PATIENCE_S = 300
LOOK_AGAIN_S = 0.05


@dataclass(frozen=True)
class Killed:
    """A run whose bot was paused, and whose system was killed after the answer."""

    number: int
    answer: ControlAnswer
    answered_ms: int
    began_s: float

    @property
    def bot_id(self) -> str:
        return f"p{self.number}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--state", type=Path, help="file of finished runs, to go on from")
    parser.add_argument("--json", action="store_true", help="only the JSON line")
    asked = parser.parse_args()
    configure_logs("json", "error")
    progress = Progress(head_of(asked.seed), asked.state)
    if left := progress.left(asked.runs):
        with (
            tempfile.TemporaryDirectory(prefix="oxbot-bench-") as root,
            clean(Path(root)) as machine,
        ):
            run(machine, progress, left, quiet=asked.json)
    done = [each for each in progress.done if each.number <= asked.runs]
    held = sum(not each.why_not for each in done)
    took = round(sum(each.seconds for each in done), 1)
    print(json.dumps({"benchmark": "control", "held": held, "of": asked.runs, "seconds": took}))
    sys.exit(held < asked.runs)


def run(machine: Machine, progress: Progress, left: Sequence[int], *, quiet: bool) -> None:
    """Make these runs; each is judged while the next one's bot begins."""
    machine.start()
    asyncio.run(begin(machine))
    before: Killed | None = None
    for number in (*left, None):
        killed = asyncio.run(judged_and_killed(machine, before, number, progress))
        if before is not None:
            tell(progress.done[-1], quiet=quiet)
        if killed is not None:
            machine.start()
        before = killed


def tell(over: Run, *, quiet: bool) -> None:
    if over.why_not or not quiet:
        told = f"{over.number}: {over.why_not or 'held'}, {over.seconds:.1f} s"
        print(told, file=sys.stderr, flush=True)


async def begin(machine: Machine) -> None:
    """Go to where entries are about to come, and let time flow."""
    async with at_desk(machine) as (_, venue):
        await venue.stand_still()
        await venue.advance_to(parse_iso(SHOWING))
        await venue.flow(SPEED)


async def judged_and_killed(
    machine: Machine, before: Killed | None, number: int | None, progress: Progress
) -> Killed | None:
    """Judge the run before while the next one's bot begins; then pause that, and kill all."""
    async with at_desk(machine) as (desk, venue):
        async with asyncio.TaskGroup() as both:
            if before is not None:
                both.create_task(judge(machine, (desk, venue), before, progress))
            if number is not None:
                both.create_task(until_it_trades(desk, f"p{number}"))
        if number is None:
            return None
        return await paused_and_killed(machine, desk, number, progress.moment(number))


async def until_it_trades(desk: Desk, bot_id: str) -> None:
    await create_bot(desk, BotSettings(name=bot_id), PROVIDERS, bot_id)
    await until(lambda: has_cycled(desk, bot_id))


async def paused_and_killed(machine: Machine, desk: Desk, number: int, moment: float) -> Killed:
    """Pause a bot `moment` of a tick after its cycle, and kill all."""
    began_s = time.monotonic()
    await asyncio.sleep(moment * TICK_MS / 1000 / float(SPEED))
    answer = await pause_bot(desk, f"p{number}", ControlRequest(by="bench"))
    answered_ms = time.time_ns() // 10**6
    kill_everything(machine)
    return Killed(number, answer, answered_ms, began_s)


async def judge(
    machine: Machine, there: tuple[Desk, VenueControl], run: Killed, progress: Progress
) -> None:
    """Find out whether a pause has held, and stop its bot."""
    desk, venue = there
    view = await until_answered(desk, run.bot_id)
    await ticks_go_by(venue)
    status = (await desk.store.bot(run.bot_id)).status
    sent = set(await entries_sent_after(machine, run.bot_id, run.answered_ms))
    await stop_bot(desk, run.bot_id, ControlRequest(by="bench"))
    why_not = broken(run.answer, (view.status, status), sent - set(run.answer.in_flight))
    seconds = round(time.monotonic() - run.began_s, 1)
    progress.keep(Run(number=run.number, why_not=why_not, seconds=seconds))


def broken(answer: ControlAnswer, found: tuple[BotStatus, BotStatus], late: set[str]) -> str:
    """Say what did not hold."""
    if not answer.recorded:
        return "it was answered that it is not on record"
    if found != (BotStatus.PAUSED, BotStatus.PAUSED):
        return f"answered {answer.status}, then {found[0]} by workflow and {found[1]} by record"
    return f"sent after the answer: {', '.join(sorted(late))}" if late else ""


async def has_cycled(desk: Desk, bot_id: str) -> bool:
    return any(row.recorded_ms for row in await desk.store.cycles(bot_id, 5))


async def ticks_go_by(venue: VenueControl) -> None:
    until_ms = (await venue.time()).venue_ms + TICKS_AFTER * TICK_MS

    async def have_gone() -> bool:
        return (await venue.time()).venue_ms >= until_ms

    await until(have_gone)


async def entries_sent_after(machine: Machine, bot_id: str, wall_ms: int) -> list[str]:
    """Give the entries that were claimed after this moment of this machine's clock."""
    alone = Settings(home=machine.home, database_url=None, redis_url=None, temporal_address=None)
    engine = open_engine(resolve(alone).database_url or "", pool_size=1)
    entries = (orders.c.bot_id == bot_id) & (orders.c.purpose == Purpose.ENTRY)
    late = orders.c.sent_at > wall_ms
    async with engine.connect() as connection:
        found = list(await connection.scalars(select(orders.c.id).where(entries & late)))
    await engine.dispose()
    return found


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await holds():  # noqa: ASYNC110 - it is outside this process
            await asyncio.sleep(LOOK_AGAIN_S)


if __name__ == "__main__":
    main()
