"""Where prices come from just now, and how reliably they came."""

from enum import StrEnum
from typing import Final

from oxbot.domain.market import ClockReading
from oxbot.domain.values import Value

REPORT_HOLDS_MS: Final = 10_000
"""A report older than this, in wall ms, says nothing about now: whoever made it is gone."""


class FeedSource(StrEnum):
    """Who delivers prices."""

    STREAM = "stream"
    REST = "rest"
    NONE = "none"


class FeedStatus(Value):
    """What the price watch of a venue reports every second. All times are wall ms.

    `source` delivers since `since_ms`; `last_message_ms` is when the stream spoke last. A gap
    is a stretch in which the stream was silent beyond its limit, or lost; a reconnect is a
    connection made after a loss. Both are counted over the venue's whole past, and so is
    `too_old`: prices too old to set a stop off. `guarded` positions are watched. `clock` is the
    venue's time as it was last read, `trouble` what keeps the stream from speaking, if that is
    known.
    """

    source: FeedSource = FeedSource.NONE
    since_ms: int
    reported_ms: int
    last_message_ms: int | None = None
    gaps: int = 0
    reconnects: int = 0
    too_old: int = 0
    guarded: int = 0
    symbols: tuple[str, ...] = ()
    clock: ClockReading | None = None
    trouble: str = ""

    def as_of(self, wall_ms: int) -> "FeedStatus":
        """Give what holds at a wall time: no source at all where the watch itself is silent."""
        if wall_ms - self.reported_ms <= REPORT_HOLDS_MS:
            return self
        return self.model_copy(
            update={
                "source": FeedSource.NONE,
                "since_ms": self.reported_ms,
                "trouble": "the price watch does not report; is a worker running?",
            }
        )
