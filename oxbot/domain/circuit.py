"""A circuit breaker's state: whether somebody who failed again and again is asked at all."""

from enum import StrEnum
from typing import Final

from oxbot.domain.values import Value

OPENS_AFTER: Final = 5
"""Failures in a row that open it."""

COOLS_MS: Final = 30_000
"""How long it stays open, and how long a probe may take to report back, in ms."""

MODEL: Final = "model:"
"""Stands before a model provider's name where it is a target; a venue's is the bare name."""


class Phase(StrEnum):
    """closed: everybody may ask. open: nobody. half-open: one probe is finding out."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Circuit(Value):
    """The breaker of one target, such as a venue.

    `failures` in a row, `reason` of the last one. `opened_ms` is the wall time at which it
    opened, `retry_ms` the wall time from which on a probe is let through; None while closed.
    `venue_retry_ms` is the same in venue time: in a stepped venue it alone counts, elsewhere
    whichever comes first.
    """

    target: str
    phase: Phase = Phase.CLOSED
    failures: int = 0
    reason: str = ""
    opened_ms: int | None = None
    retry_ms: int | None = None
    venue_retry_ms: int | None = None
    stepped: bool = False


class Admission(Value):
    """Whether a call may be made, and the breaker's state that says so."""

    admitted: bool
    circuit: Circuit
