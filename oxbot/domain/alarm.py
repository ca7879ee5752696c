"""When positions count as unprotected: the watch is not at work, and for how long."""

from typing import Final

from oxbot.domain.values import Value

UNPROTECTED: Final = "unprotected"
PROTECTED_AGAIN: Final = "protected again"
"""Kinds of the events that tell of an outage's beginning and end."""

WITHIN_MS: Final = 10_000
"""Wall ms without a working watch after which an open position counts as unprotected."""


class Outage(Value):
    """The watch was last at work at `since_ms` (wall), and has been away for `lasted_ms`."""

    since_ms: int
    lasted_ms: int

    @property
    def key(self) -> str:
        """What names it in the events of each bot, however many processes look."""
        return f"{UNPROTECTED}:{self.since_ms}"


def outage(beat_ms: int | None, looked_from_ms: int, now_ms: int) -> Outage | None:
    """Tell whether the watch is away for too long.

    Args:
        beat_ms: When it was last at work; None: never.
        looked_from_ms: Since when somebody looks. What was before, a start of the whole system
            among it, is no outage that could have been told of; the watch examines that gap.
        now_ms: Now, wall time as all of these.
    """
    away_ms = now_ms - max(beat_ms or 0, looked_from_ms)
    if away_ms <= WITHIN_MS:
        return None
    since_ms = looked_from_ms if beat_ms is None else beat_ms
    return Outage(since_ms=since_ms, lasted_ms=now_ms - since_ms)
