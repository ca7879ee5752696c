"""How often somebody may try to sign in: moving windows in this process's memory."""

import math
import time
from dataclasses import dataclass
from typing import Final

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from oxbot.domain.errors import TooManyAttempts

REGISTERING: Final = "register"
SIGNING_IN: Final = "sign in"
REFRESHING: Final = "refresh"
"""What is tried; none of them uses up the attempts of another."""

OF_AN_ADDRESS: Final = parse("20/minute")
OF_A_NAME_FROM_THERE: Final = parse("5/minute")
OF_A_NAME: Final = parse("100/minute")
"""Whoever guesses at a name from elsewhere does not keep its owner out before this."""


@dataclass(frozen=True)
class Attempts:
    """Counts attempts from one address, those for a name from there, and all for a name."""

    windows: MovingWindowRateLimiter
    address: str

    async def count(self, what: str, name: str = "") -> None:
        """Count one attempt.

        Raises:
            TooManyAttempts: There were as many as there may be within a minute.
        """
        await self._count(OF_AN_ADDRESS, what, self.address)
        if name:
            await self._count(OF_A_NAME_FROM_THERE, what, name, self.address)
            await self._count(OF_A_NAME, what, name)

    async def succeeded(self, name: str) -> None:
        """Forget the attempts to sign in with a name from there: the right one came."""
        await self.windows.clear(OF_A_NAME_FROM_THERE, SIGNING_IN, name, self.address)

    async def _count(self, limit: RateLimitItem, *whose: str) -> None:
        if await self.windows.hit(limit, *whose):
            return
        window = await self.windows.get_window_stats(limit, *whose)
        wait_s = max(1, math.ceil(window.reset_time - time.time()))
        raise TooManyAttempts(
            f"Too many attempts from here or for this name. Try again in {wait_s} s.", wait_s
        )


def no_attempts() -> MovingWindowRateLimiter:
    """Make windows in which there were no attempts yet."""
    return MovingWindowRateLimiter(MemoryStorage())
