"""Whether an answered pause outlives everything.

A whole system runs in a scratch directory: supervisor, Temporal, PostgreSQL, Redis, simulator,
worker and API. A bot trades there, a tick every second. It is paused at some moment of a cycle,
and right after the answer every process gets SIGKILL, the supervisor first held so that it can
neither end anything in good order nor start it again. After the restart some ticks go by. The
pause has held if the bot is paused by its record and by its workflow, and no entry was sent after
the answer but those that the answer itself has named.

Exit code 1: one did not hold.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

from sqlalchemy import select

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests' hands on a whole system
from oxbot.adapters.postgres.engine import open_engine
from oxbot.adapters.postgres.schema import orders
from oxbot.adapters.venue_control import VenueControl
from oxbot.app.bots import Desk, create_bot, pause_bot, stop_bot
from oxbot.bootstrap import PROVIDERS, resolve
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="only the JSON line")
    asked = parser.parse_args()
    configure_logs("json", "error")
    chance = random.Random(asked.seed)  # noqa: S311 - moments, no secrets
    held = 0
    with tempfile.TemporaryDirectory(prefix="oxbot-bench-") as root, clean(Path(root)) as machine:
        machine.start()
        asyncio.run(begin(machine))
        for number in range(asked.runs):
            why_not = asyncio.run(paused_and_killed(machine, f"p{number}", chance.random()))
            held += not why_not
            if why_not or not asked.json:
                print(f"{number + 1}: {why_not or 'held'}", file=sys.stderr)
    print(json.dumps({"benchmark": "control", "held": held, "of": asked.runs}))
    sys.exit(held < asked.runs)


async def begin(machine: Machine) -> None:
    """Go to where entries are about to come, and let time flow."""
    async with at_desk(machine) as (_, venue):
        await venue.stand_still()
        await venue.advance_to(parse_iso(SHOWING))
        await venue.flow(SPEED)


async def paused_and_killed(machine: Machine, bot_id: str, moment: float) -> str:
    """Pause a bot `moment` of a tick after its first cycle, and kill all; why it did not hold."""
    async with at_desk(machine) as (desk, _):
        await create_bot(desk, BotSettings(name=bot_id), PROVIDERS, bot_id)
        await until(lambda: has_cycled(desk, bot_id))
        await asyncio.sleep(moment * TICK_MS / 1000 / float(SPEED))
        answer = await pause_bot(desk, bot_id, ControlRequest(by="bench"))
        answered_ms = time.time_ns() // 10**6
        kill_everything(machine)
    machine.start()
    async with at_desk(machine) as (desk, venue):
        view = await until_answered(desk, bot_id)
        await ticks_go_by(venue)
        status = (await desk.store.bot(bot_id)).status
        late = set(await entries_sent_after(machine, bot_id, answered_ms)) - set(answer.in_flight)
        await stop_bot(desk, bot_id, ControlRequest(by="bench"))
    return broken(answer, (view.status, status), late)


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
