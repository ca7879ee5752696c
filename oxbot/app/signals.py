"""Crossings on their way to the bots: told at once, and again until the position has changed."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import structlog

from oxbot.app.ports import Ports
from oxbot.app.timing import Timer
from oxbot.app.troubles import Troubles
from oxbot.domain.errors import NotFound, OxbotError, StoreUnavailable
from oxbot.domain.guard_index import GuardIndex
from oxbot.domain.guards import Crossing
from oxbot.domain.orders import Purpose
from oxbot.messages import Protect

AGAIN_S: Final = 2
RARELY_S: Final = 60
"""What a bot was told is told again after so many seconds, then after twice as many, up to this.

Temporal keeps a signal that it has accepted, so more often would only fill the bot's history; but
an exit that found nobody to buy waits for it. One that was not accepted is told again every
`AGAIN_S`.
"""

LOOK_S: Final = 0.5
AT_ONCE: Final = 32
"""Signals under way at the same time."""

OUT_OF_REACH: Final = "out of reach"
"""Kind of the event that tells of a crossing whose bot has no workflow."""

log = structlog.get_logger(__name__)


@dataclass
class Told:
    """A crossing and how far it has come; wall times in ms."""

    crossing: Crossing
    seen_ms: int
    due_ms: int
    pause_s: int = AGAIN_S
    accepted: bool = False
    under_way: bool = False


class Signals:
    """Has the crossings of a venue acted on; none waits for another.

    Args:
        ports: Whose bots are told.
        timer: Wall time.
        troubles: Where it says what keeps it from telling.
    """

    def __init__(self, ports: Ports, timer: Timer, troubles: Troubles) -> None:
        self._ports = ports
        self._timer = timer
        self._troubles = troubles
        self._told: dict[tuple[str, str], Told] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(AT_ONCE)

    def add(self, crossings: Iterable[Crossing], seen_ms: int) -> None:
        """Tell the bots; what is being told of a position already is not begun anew.

        Unless a stop is reached after a target at which nobody sold: the bot is told at once, and
        the exit is on record as what it is.

        `seen_ms` is when the price was had (wall ms), 0 where it was not seen as it came.
        """
        for crossing in crossings:
            guard = crossing.guard
            known = self._told.get(guard.key)
            if known is None or _replaces(crossing, known.crossing):
                self._log(crossing)
                told = Told(crossing, seen_ms, due_ms=self._timer.wall_ms())
                self._told[guard.key] = told
                self._begin(told)

    def forget_changed(self, index: GuardIndex) -> None:
        """Forget what became of positions that are gone or have changed."""
        for key, told in list(self._told.items()):
            guard = index.get(key)
            if guard is None or guard.stamp != told.crossing.guard.stamp:
                del self._told[key]

    def unaccepted(self) -> dict[str, int]:
        """Give for each symbol the venue time of the first crossing that nobody has accepted."""
        first: dict[str, int] = {}
        for told in self._told.values():
            if not told.accepted:
                symbol, at_ms = told.crossing.guard.symbol, told.crossing.at_ms
                first[symbol] = min(at_ms, first.get(symbol, at_ms))
        return first

    async def run(self) -> None:
        """Tell again what is due, until cancelled."""
        try:
            while True:
                await self._timer.sleep(LOOK_S)
                now_ms = self._timer.wall_ms()
                for told in list(self._told.values()):
                    if not told.under_way and told.due_ms <= now_ms:
                        self._begin(told)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, told: Told) -> None:
        told.under_way = True
        task = asyncio.create_task(self._tell(told))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self, told: Told) -> None:
        guard = told.crossing.guard
        try:
            async with self._room:
                await self._ports.control.protect(
                    guard.bot_id, protect_of(told.crossing, told.seen_ms)
                )
        except NotFound as error:
            await tell_out_of_reach(self._ports, told.crossing, error)
        except OxbotError as error:
            self._troubles.has("signals", error)
        else:
            self._troubles.has_none("signals")
            told.pause_s = min(2 * told.pause_s, RARELY_S) if told.accepted else AGAIN_S
            told.accepted = True
        finally:
            told.due_ms = self._timer.wall_ms() + told.pause_s * 1000
            told.under_way = False

    def _log(self, crossing: Crossing) -> None:
        guard = crossing.guard
        log.info(
            "crossing",
            bot=guard.bot_id,
            symbol=guard.symbol,
            purpose=crossing.purpose,
            price=str(crossing.price),
            unwatched=crossing.resting is not None,
        )


def _replaces(crossing: Crossing, known: Crossing) -> bool:
    """Whether a crossing is news to a bot that is being told of another one."""
    if known.guard.stamp != crossing.guard.stamp:
        return True
    after_target = known.purpose is Purpose.TARGET and crossing.purpose is not Purpose.TARGET
    return after_target and known.resting is None


def protect_of(crossing: Crossing, seen_ms: int) -> Protect:
    """Make what a bot is told of a crossing."""
    guard = crossing.guard
    return Protect(
        symbol=guard.symbol,
        opened_ms=guard.opened_ms,
        version=guard.version,
        purpose=crossing.purpose,
        price=crossing.price,
        crossed_ms=crossing.at_ms,
        seen_wall_ms=seen_ms,
        resting=crossing.resting,
    )


async def tell_out_of_reach(ports: Ports, crossing: Crossing, error: NotFound) -> None:
    """Tell a person, once, that nobody is there to close a position."""
    guard = crossing.guard
    key = f"{OUT_OF_REACH}:{guard.symbol}:{guard.opened_ms}v{guard.version}"
    text = f"{guard.symbol} reached its {crossing.purpose} at {crossing.price}, but {error}"
    try:
        if await ports.store.tell(guard.bot_id, key, OUT_OF_REACH, text):
            log.error("crossing out of reach", bot=guard.bot_id, symbol=guard.symbol)
    except StoreUnavailable:
        log.error("crossing out of reach, and not on record", bot=guard.bot_id)  # noqa: TRY400 - as above
