"""What strikes all bots at once: servers, and the market watch."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Final

from chaos_matrix.injection import Act, Injection
from chaos_matrix.life import Life
from chaos_matrix.points import AFTER, Marks
from chaos_matrix.system import RATE, System
from oxbot.domain.errors import OxbotError

MOMENTS_S: Final = (3.2, 4.0, 5.0, 7.0)
"""How long after the bots have begun a server dies, in turn."""

WATCHED_S: Final = 4
PROTECTING_S: Final = 45
"""How long a new watch is given to protect what is still held."""

STRUCK_WITHIN_S: Final = 40
EXAMINED_WITHIN_S: Final = 60


async def strike(system: System, injection: Injection, lives: Sequence[Life]) -> bool:
    """Strike, and say whether it did."""
    if injection.act is Act.SERVER:
        await asyncio.sleep(MOMENTS_S[lives[0].number % len(MOMENTS_S)])
        system.kill(injection.target)
        return True
    marks = Marks(system.data.root / "marks" / f"{injection.act}-{lives[0].number}")
    marks.make()
    await asyncio.gather(*(life.lived.wait() for life in lives))
    if injection.act is Act.EXAMINE:
        return await _examined(system, injection, marks, lives)
    return await _watched(system, injection, marks)


async def _watched(system: System, injection: Injection, marks: Marks) -> bool:
    """Kill the market watch as it begins, or as it ends because its worker has to."""
    steps = injection.ways[0].steps
    await system.start_watch(str(marks.directory), steps)
    if steps[0].point.moment == AFTER:
        await asyncio.sleep(WATCHED_S)
        system.end_watch()
    struck = await _struck(marks)
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


async def _struck(marks: Marks) -> bool:
    """Wait until the watch was struck; False where it was not in time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(STRUCK_WITHIN_S):
            while marks.struck(0) is None:  # noqa: ASYNC110 - it is in another process
                await asyncio.sleep(0.1)
            return True
    return False
