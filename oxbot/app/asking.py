"""One question of a cycle to the exchange: guarded by the breaker, and answered in time or not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from oxbot.app.breaker import guarded
from oxbot.app.ports import Ports
from oxbot.domain.errors import VenueUnavailable
from oxbot.domain.market import ClockReading

ANSWER_S: Final = 6
"""Seconds that the exchange has for its answers; less than a holder of the flight lock has."""


def answer_by() -> float:
    """Give the moment, on the event loop's clock, by which answers asked for now must be there."""
    return asyncio.get_running_loop().time() + ANSWER_S


@asynccontextmanager
async def asking(
    ports: Ports, clock: ClockReading, until_s: float | None = None
) -> AsyncIterator[None]:
    """Ask the exchange, if the breaker lets anybody; no answer in time counts as an outage.

    Args:
        ports: Whose feed is asked.
        clock: Now.
        until_s: By when, as `answer_by` gives it; so several questions can share one limit.

    Raises:
        VenueUnavailable: There was no answer in time.
        CircuitOpen: The exchange is not asked now.
    """
    async with guarded(ports, clock):
        try:
            async with asyncio.timeout_at(answer_by() if until_s is None else until_s) as limit:
                yield
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise VenueUnavailable(
                f"{ports.feed.venue} gave no answer within {ANSWER_S} s; it is asked again."
            ) from error
