"""What strikes all bots at once: servers, and the market watch."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Final

from chaos_matrix.injection import Act, Injection
from chaos_matrix.life import Life
from chaos_matrix.points import Deed, Marks
from chaos_matrix.record import has_sent
from chaos_matrix.system import RATE, System
from chaos_matrix.waiting import until
from oxbot.domain.errors import OxbotError

MOMENTS_S: Final = (3.2, 4.0, 5.0, 7.0)
"""How long after the bots have begun a server may die, in turn."""

UNDER_WAY_WITHIN_S: Final = 30
"""How much longer an order is waited for that is under way then: the next cycle brings one."""

BACK_WITHIN_S: Final = 30
LOOK_S: Final = 0.02

WATCHED_S: Final = 4
PROTECTING_S: Final = 45
"""How long a new watch is given to protect what is still held."""

STRUCK_WITHIN_S: Final = 40
EXAMINED_WITHIN_S: Final = 60


async def strike(system: System, injection: Injection, lives: Sequence[Life]) -> bool:
    """Strike, and say whether it did."""
    if injection.act is Act.SERVER:
        await asyncio.sleep(MOMENTS_S[lives[0].number % len(MOMENTS_S)])
        return await _killed(system, injection.target, [life.bot_id for life in lives])
    marks = Marks(system.data.root / "marks" / f"{injection.act}-{lives[0].number}")
    marks.make()
    await asyncio.gather(*(life.lived.wait() for life in lives))
    if injection.act is Act.EXAMINE:
        return await _examined(system, injection, marks, lives)
    return await _watched(system, injection, marks)


async def _killed(system: System, server: str, bot_ids: Sequence[str]) -> bool:
    """Kill a server; whether an order was under way, and another one has come in its place."""

    async def is_sent() -> bool:
        return await system.read(lambda engine: has_sent(engine, bot_ids))

    was_under_way = await until(is_sent, UNDER_WAY_WITHIN_S, LOOK_S)
    killed = system.kill(server)

    async def is_back() -> bool:
        return system.server(server) not in (None, killed)

    came_back = killed is not None and await until(is_back, BACK_WITHIN_S, LOOK_S)
    return was_under_way and came_back


async def _watched(system: System, injection: Injection, marks: Marks) -> bool:
    """Kill the market watch as it begins, or as it ends because its worker has to."""
    steps = injection.ways[0].steps
    await system.start_watch(str(marks.directory), steps)
    struck = await _struck(marks)
    if struck and steps[0].deed is Deed.HOLD:
        marks.let_go(0)
        await asyncio.sleep(WATCHED_S)
        system.end_watch()
        struck = await _struck(marks, 1)
    await system.start_watch()
    await asyncio.sleep(PROTECTING_S)
    return struck


async def _examined(
    system: System, injection: Injection, marks: Marks, lives: Sequence[Life]
) -> bool:
    """Have the venue stand still for a moment, and kill who examines its guards there."""
    await system.start_watch(str(marks.directory), injection.ways[0].steps)
    at_ms = (await system.venue.stand_still()).venue_ms
    await asyncio.gather(*(life.hands.wake() for life in lives))
    examining = asyncio.create_task(system.desk.control.examine(system.desk.venue, at_ms))
    try:
        struck = await _struck(marks)
        await system.start_watch()
        with suppress(OxbotError):
            await asyncio.wait_for(examining, EXAMINED_WITHIN_S)
    except TimeoutError:
        return False
    finally:
        examining.cancel()
        await system.venue.flow(Decimal(RATE))
        await asyncio.gather(*(life.hands.wake() for life in lives))
    return struck


async def _struck(marks: Marks, number: int = 0) -> bool:
    """Wait until a step of the watch has happened; False where it has not in time."""

    async def is_struck() -> bool:
        return marks.struck(number) is not None

    return await until(is_struck, STRUCK_WITHIN_S, LOOK_S)
