"""Every call to somebody else passes here: while they do not answer, nobody waits for them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from oxbot.app.ports import Ports
from oxbot.app.telling import when
from oxbot.domain.circuit import MODEL, Circuit, Phase
from oxbot.domain.errors import (
    BeingProbed,
    CircuitOpen,
    ModelRateLimited,
    ModelUnavailable,
    OxbotError,
    RateLimited,
    StoreUnavailable,
    Unusable,
    VenueUnavailable,
)
from oxbot.domain.market import ClockReading

OUTAGES: Final = (VenueUnavailable, ModelUnavailable)
ANSWERS: Final = (RateLimited, Unusable, ModelRateLimited)
"""Of the errors that can be retried, those which show that somebody is there."""


@asynccontextmanager
async def guarded(
    ports: Ports, clock: ClockReading, *, urgent: bool = False, target: str | None = None
) -> AsyncIterator[None]:
    """Guard one call by the circuit breaker of who is called, and report how the call went.

    Only an outage counts against them: a rate limit, a refusal and data that cannot be used
    (such as a candle that is not closed yet) are answers, too.

    Args:
        ports: Whose breaker.
        clock: Now; an open circuit cools by wall time and by the venue's.
        urgent: Pass an open circuit; for exits, which are worth a try at any time.
        target: Who is called; None: the feed's venue.

    Raises:
        CircuitOpen: They are not asked now.
        BeingProbed: Another call is finding out whether they are back; try again.
    """
    target, began_s = target or ports.feed.venue, _now_s()
    admission = await ports.breaker.admit(target, clock)
    if not admission.admitted and not urgent:
        raise refusal(admission.circuit)
    try:
        yield
    except (CircuitOpen, StoreUnavailable):  # says nothing of who was called
        raise
    except OxbotError as error:
        if isinstance(error, OUTAGES) and not isinstance(error, ANSWERS):
            now = _later(clock, _now_s() - began_s)
            await ports.breaker.failed(target, now, str(error), clock.wall_ms)
        else:
            await _answered(ports, admission.circuit)
        raise
    else:
        await _answered(ports, admission.circuit)


async def _answered(ports: Ports, before: Circuit) -> None:
    """Report an answer where something was held against the target when the call was admitted.

    What came up during the call is cleared by the next call that is answered.
    """
    if before.failures:
        await ports.breaker.succeeded(before.target)


def refusal(circuit: Circuit) -> CircuitOpen:
    """Say what is not asked, since when and why, and when it is tried again."""
    what = "" if circuit.target.startswith(MODEL) else " for prices"
    told = (
        f"{circuit.target} is not asked{what}: it has not answered {circuit.failures} times "
        f"in a row (circuit open since {when(circuit.opened_ms)} UTC; "
        f"last: {circuit.reason.rstrip('.')})"
    )
    if circuit.phase is Phase.HALF_OPEN:
        return BeingProbed(f"{told}. One call is finding out whether it is back; try again.")
    return CircuitOpen(f"{told}. It is tried again {retry(circuit)}.")


def retry(circuit: Circuit) -> str:
    """Say from when on an open circuit lets a probe through."""
    if circuit.stepped:
        return f"from {when(circuit.venue_retry_ms)} venue time on"
    return f"from {when(circuit.retry_ms)} UTC on"


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _later(clock: ClockReading, passed_s: float) -> ClockReading:
    """Move a reading on by what the call took: an outage is found out at its end."""
    wall_ms = clock.wall_ms + int(passed_s * 1000)
    return clock.model_copy(update={"wall_ms": wall_ms, "venue_ms": clock.venue_at(wall_ms)})
