"""How often somebody may try to sign in: moving windows in this process's memory."""

import math
import time
from dataclasses import dataclass
from typing import Final

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from oxbot.domain.errors import TooManyAttempts

OF_A_NAME: Final = parse("5/minute")
OF_AN_ADDRESS: Final = parse("20/minute")


@dataclass(frozen=True)
class Attempts:
    """Counts attempts from one address, and those for a name wherever they come from."""

    windows: MovingWindowRateLimiter
    address: str

    async def count(self, name: str = "") -> None:
        """Count one attempt.

        Raises:
            TooManyAttempts: There were as many as there may be within a minute.
        """
        await self._count(OF_AN_ADDRESS, "address", self.address)
        if name:
            await self._count(OF_A_NAME, "name", name)

    async def succeeded(self, name: str) -> None:
        """Forget the attempts for a name: the right one came."""
        await self.windows.clear(OF_A_NAME, "name", name)

    async def _count(self, limit: RateLimitItem, kind: str, whose: str) -> None:
        if await self.windows.hit(limit, kind, whose):
            return
        window = await self.windows.get_window_stats(limit, kind, whose)
        wait_s = max(1, math.ceil(window.reset_time - time.time()))
        raise TooManyAttempts(
            f"Too many attempts from here or for this name. Try again in {wait_s} s.", wait_s
        )


def no_attempts() -> MovingWindowRateLimiter:
    """Make windows in which there were no attempts yet."""
    return MovingWindowRateLimiter(MemoryStorage())
