"""The venue's time: N times faster than life, or standing still until told.

Venue time never goes back: not when the mode changes, not when this machine's clock is
set back, not across a restart.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from oxbot.domain.errors import InputError
from oxbot.simulator.timeframes import DAY_MS
from oxbot.simulator.venue_time import iso

SLOWEST = Decimal("0.001")
"""The lowest rate; to stand still, a venue is stepped."""

FASTEST = 3600
"""The highest rate: an hour a second."""

LONGEST_STEP_MS = 366 * DAY_MS
"""The longest way forward in one request; growing the market on the way takes a moment."""


Halt = Callable[[int, int], int]
"""Where the way from one venue time to another halts: the other, or a time before."""


class Mode(StrEnum):
    """How the venue's time moves."""

    SPEED = "speed"
    STEPPED = "stepped"


@dataclass(frozen=True, slots=True)
class ClockState:
    """What the clock must remember: at wall_ms it was venue_ms, and how it goes on.

    Attributes:
        market: The name of the market that the time belongs to.
        mode: How time moves.
        rate: Venue seconds in a second; kept while the venue is stepped.
        venue_ms: The venue's time at the anchor, ms UTC.
        wall_ms: This machine's time at the anchor, ms UTC.
    """

    market: str
    mode: Mode
    rate: Decimal
    venue_ms: int
    wall_ms: int


@dataclass(frozen=True, slots=True)
class ClockReading:
    """The clock at one moment, enough to tell the venue's time later without asking again.

    Attributes:
        venue_ms: The venue's time, ms UTC.
        wall_ms: This machine's time of the reading, ms UTC.
        rate: Venue seconds in a second; 0 when it stands still.
        mode: How time moves.
        ended: The market has no more candles; its time stands still for good.
        market: Which market it is.
    """

    venue_ms: int
    wall_ms: int
    rate: Decimal
    mode: Mode
    ended: bool
    market: str


@dataclass(frozen=True, slots=True)
class ClockChange:
    """What somebody wants of the clock; None leaves as it is. At most one of the last two.

    Attributes:
        mode: The new mode.
        rate: The new rate, from SLOWEST to FASTEST; needs mode speed.
        advance_ms: How far to go forward.
        to_ms: Where to go forward to, ms UTC.
    """

    mode: Mode | None = None
    rate: Decimal | None = None
    advance_ms: int | None = None
    to_ms: int | None = None


def wall_ms() -> int:
    """This machine's time, ms UTC."""
    return time.time_ns() // 1_000_000


def check_rate(rate: Decimal) -> Decimal:
    """The rate, rounded to 28 digits, if a clock can run at it.

    Raises:
        InputError: It is not a number from SLOWEST to FASTEST.
    """
    if not (rate.is_finite() and SLOWEST <= rate <= FASTEST):
        raise InputError(f"The rate must be from {SLOWEST} to {FASTEST}, not {rate:.6g}.")
    return +rate


class VenueClock:
    """The venue's clock.

    Whoever must act when somebody moves it (a stream that pushes at once) adds a callback to
    `changed`; each is called, without arguments, after a change counts.

    Args:
        state: Where to go on from.
        end_ms: When the market has no more candles, ms UTC.
        save: Called with each new state before it is shown to anybody.
        wall: This machine's time in ms UTC; tests bring their own.
    """

    def __init__(
        self,
        state: ClockState,
        end_ms: int,
        save: Callable[[ClockState], None],
        wall: Callable[[], int] = wall_ms,
    ) -> None:
        self._state = state
        self._end_ms = end_ms
        self._save = save
        self._wall = wall
        self.changed: list[Callable[[], None]] = []
        self._latest = self._capped(state.venue_ms)

    def now(self) -> int:
        """The venue's time, ms UTC; never less than an answer before."""
        return self._at(self._wall())

    def read(self) -> ClockReading:
        """The clock and how it goes on."""
        wall = self._wall()
        venue = self._at(wall)
        ended = venue >= self._end_ms
        moving = self._state.mode is Mode.SPEED and not ended
        rate = self._state.rate if moving else Decimal(0)
        return ClockReading(venue, wall, rate, self._state.mode, ended, self._state.market)

    def change(self, wanted: ClockChange, halt: Halt | None = None) -> ClockReading:
        """Change mode or rate without a jump, or go forward; saved before it counts.

        Args:
            wanted: What is wanted.
            halt: Says where the way halts; it leads from the first time to the second (ms UTC).

        Raises:
            InputError: The rate does not fit the mode, the way leads back, or the venue does not
                stand still and so cannot halt; nothing was changed.
        """
        wall = self._wall()
        venue = self._at(wall)
        mode = wanted.mode or self._state.mode
        rate = self._state.rate if wanted.rate is None else check_rate(wanted.rate)
        if wanted.rate is not None and mode is Mode.STEPPED:
            raise InputError("A stepped venue has no rate: ask for mode speed with it.")
        target = self._capped(_target(wanted, venue))
        if halt is not None:
            if mode is Mode.SPEED:
                raise InputError("Only a stepped venue can halt on its way: ask for that mode.")
            target = halt(venue, target)
        self._anchor(replace(self._state, mode=mode, rate=rate, venue_ms=target, wall_ms=wall))
        for tell in self.changed:
            tell()
        return self.read()

    def keep(self) -> None:
        """Save how far the time has come; called at the start and before the process ends."""
        wall = self._wall()
        venue = self._at(wall)
        self._anchor(replace(self._state, venue_ms=venue, wall_ms=wall))

    def _anchor(self, state: ClockState) -> None:
        self._save(state)
        self._state = state
        self._latest = state.venue_ms

    def _at(self, wall: int) -> int:
        state = self._state
        if state.mode is Mode.SPEED:
            passed = int((wall - state.wall_ms) * state.rate)
            self._latest = max(self._latest, self._capped(state.venue_ms + passed))
        return self._latest

    def _capped(self, venue_ms: int) -> int:
        return min(venue_ms, self._end_ms)


def _target(wanted: ClockChange, venue_ms: int) -> int:
    """Where the venue's time is after a change, ms UTC."""
    targets = [
        *([] if wanted.advance_ms is None else [venue_ms + wanted.advance_ms]),
        *([] if wanted.to_ms is None else [wanted.to_ms]),
    ]
    if not targets:
        return venue_ms
    if len(targets) > 1:
        raise InputError("Say advance_ms or to_ms, not both.")
    if targets[0] < venue_ms:
        raise InputError(f"Venue time never goes back: it is {venue_ms} ({iso(venue_ms)}).")
    if targets[0] - venue_ms > LONGEST_STEP_MS:
        raise InputError(f"One step is at most 366 days ({LONGEST_STEP_MS} ms).")
    return targets[0]
