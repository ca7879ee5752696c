"""The alarm: a process that is not the watch looks whether open positions are watched."""

from collections.abc import Collection
from typing import Final, Self

import structlog

from oxbot.app.bots import Desk
from oxbot.app.telling import span, when
from oxbot.app.timing import RealTimer, Timer
from oxbot.app.troubles import Troubles
from oxbot.domain.alarm import PROTECTED_AGAIN, UNPROTECTED, is_at_work, unwatched_since
from oxbot.domain.errors import StoreUnavailable
from oxbot.domain.values import Value

LOOK_EVERY_S: Final = 2

log = structlog.get_logger(__name__)


class ProtectionStatus(Value):
    """Whether open positions are watched, as it is known at `wall_ms`.

    `beat_ms` is when the watch was last at work (wall), None if it never was; `stepped` says
    that the venue stands still, where nobody has to watch. `positions` are open, in all;
    `unprotected` are those that nobody watches for too long, symbols by bot, since `since_ms`.
    """

    wall_ms: int
    beat_ms: int | None
    stepped: bool
    positions: int
    unprotected: dict[str, tuple[str, ...]]
    since_ms: int | None = None

    def of(self, bots: Collection[str]) -> Self:
        """Name no others than these bots; `positions` stays the count of all."""
        named = {bot: held for bot, held in self.unprotected.items() if bot in bots}
        since_ms = self.since_ms if named else None
        return self.model_copy(update={"unprotected": named, "since_ms": since_ms})


class Alarm:
    """Tells of positions that nobody watches, and of the end of that; each once for each bot.

    Any number of processes may have one: the record tells what was told.

    Args:
        desk: Of the venue.
        timer: Wall time; the machine's unless a test has its own.
    """

    def __init__(self, desk: Desk, timer: Timer | None = None) -> None:
        self._desk = desk
        self._timer = timer or RealTimer()
        self._looks_from_ms = self._timer.wall_ms()
        self._troubles = Troubles(f"alarm of {desk.venue}")
        self._rang = True
        """Whether ends may have to be told; what an earlier process has told is not known yet."""

    async def run(self) -> None:
        """Look every two seconds, until cancelled."""
        while True:
            try:
                await self.look()
            except StoreUnavailable as error:
                self._troubles.has("record", error)
            else:
                self._troubles.has_none("record")
            await self._timer.sleep(LOOK_EVERY_S)

    async def look(self) -> ProtectionStatus:
        """Look once, and tell what is new; StoreUnavailable."""
        status = await self.status()
        if status.unprotected:
            self._rang = True
            await self._ring(status)
        elif self._rang and is_at_work(status.beat_ms, status.wall_ms):
            await self._end()
            self._rang = False
        return status

    async def status(self) -> ProtectionStatus:
        """Say how it is, and tell nobody; StoreUnavailable."""
        now_ms = self._timer.wall_ms()
        beat = await self._desk.store.watch_beat(self._desk.venue)
        held = await self._desk.store.held_symbols(self._desk.venue)
        beat_ms = beat.beat_ms if beat else None
        stepped = beat is not None and beat.stepped
        since_ms = unwatched_since(beat_ms, self._looks_from_ms, now_ms)
        rings = bool(held) and since_ms is not None and not stepped
        return ProtectionStatus(
            wall_ms=now_ms,
            beat_ms=beat_ms,
            stepped=stepped,
            positions=sum(map(len, held.values())),
            unprotected=held if rings else {},
            since_ms=since_ms if rings else None,
        )

    async def _ring(self, status: ProtectionStatus) -> None:
        since_ms = status.since_ms or 0
        for bot_id, symbols in status.unprotected.items():
            text = (
                f"Nobody has watched {', '.join(symbols)} since {when(since_ms)} UTC: stops and "
                f"targets are not seen. Is a worker running, and does the venue give prices? "
                f"`oxbot doctor` and `/status` tell."
            )
            key = f"{UNPROTECTED}:{since_ms}"
            if await self._desk.store.tell(bot_id, key, UNPROTECTED, text):
                log.error("positions are unprotected", bot=bot_id, symbols=symbols)

    async def _end(self) -> None:
        now_ms = self._timer.wall_ms()
        for bot_id, key in await self._desk.store.untold_ends(self._desk.venue):
            since_ms = int(key.rpartition(":")[2])
            text = f"The watch is back after {span(now_ms - since_ms)}; it examines that gap."
            end = f"{PROTECTED_AGAIN}:{since_ms}"
            if await self._desk.store.tell(bot_id, end, PROTECTED_AGAIN, text):
                log.info("positions are protected again", bot=bot_id)
