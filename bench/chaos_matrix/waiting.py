"""Waits for what happens in other processes."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress


async def until(holds: Callable[[], Awaitable[bool]], within_s: float, every_s: float) -> bool:
    """Look again and again until something holds; False where it did not in time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while not await holds():  # noqa: ASYNC110 - it is in another process
                await asyncio.sleep(every_s)
            return True
    return False
