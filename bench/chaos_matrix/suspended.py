"""How long a worker is suspended, and whether another one has done its work meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from chaos_matrix.waiting import until

LOOK_S: Final = 0.7


@dataclass(frozen=True)
class Sleep:
    """For how many seconds a worker is suspended.

    `within_s` is how much longer it is where others have not done its work by then; None wakes it
    whatever they have done.
    """

    asleep_s: float
    within_s: float | None = None


LONG: Final = Sleep(17, 40)
"""For more than a fence and its grace, until others have done its work."""

SOON: Final = Sleep(8)
"""For less, but longer than it takes until another one goes on."""


async def sleep_through(sleep: Sleep, unfinished: Callable[[], Awaitable[frozenset[str]]]) -> bool:
    """Wait until a suspended worker is to wake; whether what was asked of the others was done.

    Where they are asked for its work, all orders that were unfinished when it fell asleep have to
    come to an end. Where there were none, nothing had to.
    """
    begun = await unfinished()
    await asyncio.sleep(sleep.asleep_s)
    if sleep.within_s is None:
        return True

    async def are_ended() -> bool:
        return begun.isdisjoint(await unfinished())

    return await until(are_ended, sleep.within_s, LOOK_S)
