"""What the price watch remembers of its sources: plain arithmetic on wall time."""

from dataclasses import dataclass
from typing import Final

from oxbot.domain.feed import FeedSource, FeedStatus
from oxbot.domain.market import ClockReading

SILENCE_MS: Final = 3_000
"""A stream that says nothing for so long is silent; prices are asked for by REST then."""

ASKED_HOLDS_MS: Final = 5_000
"""Prices that were asked for longer ago are no source any more."""


@dataclass
class FeedState:
    """Follows the stream and the requests. All times in wall ms; `since_ms`: it began to watch.

    `gaps` and `reconnects` go on from what was counted before.
    """

    since_ms: int
    gaps: int = 0
    reconnects: int = 0
    trouble: str = ""
    source: FeedSource = FeedSource.NONE
    last_message_ms: int | None = None
    asked_ms: int | None = None
    listening_ms: int | None = None
    is_connected: bool = False
    is_lost: bool = False
    in_gap: bool = False

    def listens(self, now_ms: int) -> None:
        """A connection is being made; the stream has its limit to say something."""
        self.listening_ms = self.listening_ms or now_ms

    def spoke(self, now_ms: int) -> None:
        """The stream delivered prices; after a loss that is what a reconnect is."""
        self.reconnects += self.is_lost
        self.is_connected, self.is_lost, self.in_gap = True, False, False
        self.last_message_ms, self.trouble = now_ms, ""

    def lost(self, why: str) -> None:
        """The connection is lost, or was refused."""
        self.is_connected, self.is_lost, self.trouble = False, True, why
        self._begin_gap()

    def fell_silent(self) -> None:
        """The stream has said nothing for its limit, though nothing is known to be broken."""
        self.trouble = self.trouble or "the stream says nothing"
        self._begin_gap()

    def idles(self) -> None:
        """Nothing is watched, so that silence is none."""
        self.is_connected = self.is_lost = self.in_gap = False
        self.listening_ms = self.last_message_ms = None
        self.trouble = ""

    def asked(self, now_ms: int) -> None:
        """Prices came by REST."""
        self.asked_ms = now_ms

    def silent_in_ms(self, now_ms: int) -> int | None:
        """Ms until the stream counts as silent, 0 where it does; None while nothing is watched."""
        if self.listening_ms is None:
            return None
        heard_ms = max(self.listening_ms, self.last_message_ms or 0)
        return max(0, heard_ms + SILENCE_MS - now_ms)

    def status(
        self, now_ms: int, symbols: tuple[str, ...], clock: ClockReading | None
    ) -> FeedStatus:
        """Describe it as of now; a source that is another than before begins now."""
        source = self._source(now_ms, stepped=clock is not None and clock.stepped)
        if source is not self.source:
            self.source, self.since_ms = source, now_ms
        return FeedStatus(
            source=source,
            since_ms=self.since_ms,
            reported_ms=now_ms,
            last_message_ms=self.last_message_ms,
            gaps=self.gaps,
            reconnects=self.reconnects,
            symbols=symbols,
            clock=clock,
            trouble=self.trouble,
        )

    def _source(self, now_ms: int, *, stepped: bool) -> FeedSource:
        """Where a venue stands still, a connected stream has nothing to say."""
        if self.is_connected and (stepped or self.silent_in_ms(now_ms)):
            return FeedSource.STREAM
        if self.asked_ms is not None and now_ms - self.asked_ms <= ASKED_HOLDS_MS:
            return FeedSource.REST
        return FeedSource.NONE

    def _begin_gap(self) -> None:
        self.gaps += not self.in_gap
        self.in_gap = True
