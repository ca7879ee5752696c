"""A clock that is off."""

from oxbot.adapters.okx.clock import SimulatorClock
from oxbot.domain.market import ClockReading


def skew(by_ms: int) -> None:
    """Have this process read the venue's clock wrongly by so many venue ms, whoever asks for it.

    Orders are claimed, fenced and signed by it.
    """
    right = SimulatorClock.reading

    async def reading(self: SimulatorClock) -> ClockReading:
        read = await right(self)
        return read.model_copy(update={"venue_ms": read.venue_ms + by_ms})

    setattr(SimulatorClock, "reading", reading)  # noqa: B010 - mypy refuses a method's assignment
