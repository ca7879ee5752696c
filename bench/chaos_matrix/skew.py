"""A clock that is off."""

from oxbot.domain.market import ClockReading
from oxbot.ports import Clock


class SkewedClock:
    """The venue's clock as a machine has it whose own is off.

    Args:
        clock: The right one.
        skew_ms: By how much it is off, in venue ms.
    """

    def __init__(self, clock: Clock, skew_ms: int) -> None:
        self._clock = clock
        self._skew_ms = skew_ms

    async def reading(self) -> ClockReading:
        """Read the clock, wrongly."""
        right = await self._clock.reading()
        return right.model_copy(update={"venue_ms": right.venue_ms + self._skew_ms})


def skewed(clock: Clock, skew_ms: int) -> Clock:
    """Give a clock that is off by so many venue ms."""
    return SkewedClock(clock, skew_ms) if skew_ms else clock
