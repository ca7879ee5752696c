"""The venue's time: OKX's by its offset from ours, the simulator's by asking it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from types import TracebackType
from typing import Annotated, Final, Literal, Protocol, Self

import aiohttp
import structlog
from pydantic import BaseModel, Field, ValidationError

from oxbot.domain.errors import RateLimited, VenueUnavailable
from oxbot.domain.market import ClockReading

MEASURE_AFTER_MS: Final = 60_000
"""After this the offset is measured again: a computer's clock may drift or be set."""

TRUST_MS: Final = 600_000
"""An offset that cannot be measured again serves no longer than this."""

TRY_AFTER_MS: Final = 5_000
"""After a measurement that failed or was slow, the next one is this much later."""

SLOW_MS: Final = 1_000
"""A measurement whose round trip took longer replaces none that was quicker."""

JUMP_MS: Final = 500
"""A difference between wall and monotonic time beyond this means the clock was set, or slept."""

_log = structlog.get_logger(__name__)


class ServerTime(Protocol):
    """Somebody who knows what time it is at the venue."""

    async def server_time_ms(self) -> int:
        """Ask for the venue's time, in ms UTC."""
        ...


@dataclass(frozen=True)
class _Measured:
    """What our wall time lacks to the venue's, when and how quickly that was found; all in ms."""

    offset_ms: int
    round_trip_ms: int
    wall_ms: int
    monotonic_ms: int

    def holds(self, wall_ms: int, monotonic_ms: int) -> bool:
        """Whether it can be trusted: not too old, and our clock neither set nor asleep since."""
        passed, ticked = wall_ms - self.wall_ms, monotonic_ms - self.monotonic_ms
        return ticked <= TRUST_MS and abs(passed - ticked) <= JUMP_MS

    def is_worse_than(self, other: "_Measured") -> bool:
        """Whether it took so long that another is closer to the truth."""
        return self.round_trip_ms > max(SLOW_MS, other.round_trip_ms)


class OkxClock:
    """OKX's time, taken as ours plus an offset that is measured again every minute.

    The offset is wrong by at most half of the measuring request's round trip. A slow
    measurement replaces no quicker one, and where OKX does not answer the last one serves for
    ten minutes more, unless our clock was set or slept meanwhile.

    Args:
        venue: Who is asked for the time.
        wall_ms: Our wall time in ms UTC.
        monotonic_ms: Ms of a clock that is never set.
    """

    def __init__(
        self,
        venue: ServerTime,
        *,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        monotonic_ms: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000,
    ) -> None:
        self._venue = venue
        self._wall_ms = wall_ms
        self._monotonic_ms = monotonic_ms
        self._measured: _Measured | None = None
        self._failed: VenueUnavailable | None = None
        self._due_ms = 0
        self._measuring = asyncio.Lock()

    async def reading(self) -> ClockReading:
        """Give the venue's time at rate 1; VenueUnavailable when it must be asked and is silent."""
        async with self._measuring:
            known = self._trusted()
            due = self._monotonic_ms() > self._due_ms
            if known is None and not due and self._failed is not None:
                raise self._failed  # found out a moment ago: who waited need not wait again
            if known is None or due:
                known = self._measured = await self._renewed(known)
        wall_ms = self._wall_ms()
        return ClockReading(venue_ms=wall_ms + known.offset_ms, wall_ms=wall_ms, rate=Decimal(1))

    def _trusted(self) -> _Measured | None:
        measured = self._measured
        if measured is None or not measured.holds(self._wall_ms(), self._monotonic_ms()):
            return None
        return measured

    async def _renewed(self, known: _Measured | None) -> _Measured:
        """Measure again; what is known serves on where that fails or is worse."""
        try:
            found = await self._measure()
        except VenueUnavailable as error:
            asked_s = error.retry_after_s if isinstance(error, RateLimited) else 0
            self._due_ms = self._monotonic_ms() + max(TRY_AFTER_MS, asked_s * 1_000)
            if known is None:
                self._failed = error
                raise
            _log.warning("the last clock offset serves on", reason=str(error), **self._age(known))
            return known
        self._failed = None
        if known is not None and found.is_worse_than(known):
            self._due_ms = self._monotonic_ms() + TRY_AFTER_MS
            _log.warning(
                "a slow clock measurement is not trusted",
                round_trip_ms=found.round_trip_ms,
                **self._age(known),
            )
            return known
        self._due_ms = self._monotonic_ms() + MEASURE_AFTER_MS
        return found

    def _age(self, known: _Measured) -> dict[str, int]:
        return {
            "offset_ms": known.offset_ms,
            "measured_s_ago": (self._monotonic_ms() - known.monotonic_ms) // 1_000,
        }

    async def _measure(self) -> _Measured:
        """Ask for the time; the answer is taken to be from the middle of the round trip."""
        begin_ms = self._monotonic_ms()
        venue_ms = await self._venue.server_time_ms()
        wall_ms, end_ms = self._wall_ms(), self._monotonic_ms()
        round_trip_ms = end_ms - begin_ms
        offset_ms = venue_ms + round_trip_ms // 2 - wall_ms
        _log.debug("venue clock measured", offset_ms=offset_ms, round_trip_ms=round_trip_ms)
        return _Measured(offset_ms, round_trip_ms, wall_ms, end_ms)


class _ClockAnswer(BaseModel):
    """What the simulator says of its clock."""

    venue_ms: int
    wall_ms: int
    rate: Annotated[Decimal, Field(ge=0)]
    mode: Literal["speed", "stepped"]
    ended: bool


class SimulatorClock:
    """The time of a simulated venue, asked for every time: its rate may change at any moment.

    Use it as an async context manager.

    Args:
        simulator_url: Where the simulator listens, such as http://127.0.0.1:8021.
        timeout_s: How long to wait for an answer, in s.
    """

    def __init__(self, simulator_url: str, *, timeout_s: float = 5) -> None:
        self._url = f"{simulator_url.rstrip('/')}/control/clock"
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection; the next reading opens a new one."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def reading(self) -> ClockReading:
        """Ask for time, rate and mode; VenueUnavailable when there is no such answer."""
        answer = await self._ask()
        return ClockReading(
            venue_ms=answer.venue_ms,
            wall_ms=answer.wall_ms,
            rate=answer.rate,
            stepped=answer.mode == "stepped",
        )

    async def _ask(self) -> _ClockAnswer:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        try:
            async with self._session.get(self._url) as response:
                response.raise_for_status()
                return _ClockAnswer.model_validate_json(await response.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise VenueUnavailable(
                f"The simulated exchange does not answer at {self._url} "
                f"({type(error).__name__}). Is it running? `oxbot simulator` starts it."
            ) from error
        except ValidationError as error:
            raise VenueUnavailable(
                f"What answers at {self._url} is not the simulated exchange's clock. "
                "Check OXBOT_SIMULATOR_URL."
            ) from error
