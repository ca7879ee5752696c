"""When positions count as unprotected: the watch is not at work, and for how long."""

from typing import Final

UNPROTECTED: Final = "unprotected"
PROTECTED_AGAIN: Final = "protected again"
"""Kinds of the events that tell of an outage's beginning and end."""

WITHIN_MS: Final = 10_000
"""Wall ms without a working watch after which an open position counts as unprotected."""


def is_at_work(beat_ms: int | None, now_ms: int) -> bool:
    """Whether the watch was at work lately, in wall ms; None: it never was."""
    return beat_ms is not None and now_ms - beat_ms <= WITHIN_MS


def unwatched_since(beat_ms: int | None, looks_from_ms: int, now_ms: int) -> int | None:
    """Give since when nobody watches, where that is too long; None where somebody does.

    Args:
        beat_ms: When the watch was last at work; None: never.
        looks_from_ms: Since when the alarm looks. A whole system that starts has so long to
            bring up its watch, which examines what was before.
        now_ms: Now; wall time as all of these.
    """
    if now_ms - max(beat_ms or 0, looks_from_ms) <= WITHIN_MS:
        return None
    return looks_from_ms if beat_ms is None else beat_ms
