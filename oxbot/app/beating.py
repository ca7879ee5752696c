"""Tells Temporal that a step is still at work, for as long as it is."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

BEAT_EVERY_S: Final = 2


@asynccontextmanager
async def beating(heartbeat: Callable[[], None]) -> AsyncIterator[None]:
    """Call `heartbeat` every two seconds until the block ends; what is done before needs none."""
    task = asyncio.create_task(_beat(heartbeat))
    try:
        yield
    finally:
        task.cancel()


async def _beat(heartbeat: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(BEAT_EVERY_S)
        heartbeat()
