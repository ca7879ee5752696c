"""Events as they come to light, for any number of followers: one reader tells them all."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import suppress
from typing import Final, NamedTuple

import structlog

from oxbot.app.timing import RealTimer, Timer
from oxbot.app.troubles import Troubles
from oxbot.domain.errors import OxbotError, Unavailable
from oxbot.domain.users import Login
from oxbot.ports.event_log import EventLog
from oxbot.ports.users import Logins
from oxbot.records.told import EventCursor, ToldEvent

LOOK_EVERY_S: Final = 0.04
ASK_EVERY_MS: Final = 3_000
"""How often it is asked whether the followers' logins still stand, in wall ms."""

ALIVE_S: Final = 15.0
"""Seconds of silence after which a follower hears that there is nothing to hear."""

BEHIND: Final = 1_000
"""Events that may wait for one follower."""

TOO_SLOW: Final = (
    f"More than {BEHIND:,} events wait to be read here, so this stream ends. None is lost: come "
    "back with the id of the last one."
)
SIGNED_OUT: Final = "This login is over, and so is its stream. Sign in again."
CLOSED: Final = "The API is going down. Come back with the id of the last event."
FAILED: Final = "Something went wrong inside 0xBot. Come back with the id of the last event."
RESET: Final = (
    "The record has not come to the place that was named: it was restored from an older copy. "
    "Events follow from now on; read the lists again for what was before."
)


log = structlog.get_logger(__name__)


class Follower:
    """Somebody who hears of events, of their own bots or of one of them.

    Args:
        login: By which they hear; asked again while they do.
        bot_id: The only bot that they want to hear of; None: all that they may see.
    """

    def __init__(self, login: Login, bot_id: str | None = None) -> None:
        self.login = login
        self.bot_id = bot_id
        self.because: str | None = None
        """Why it is over."""
        self._waiting: deque[ToldEvent] = deque()
        self._word = asyncio.Event()

    def hear(self, told: ToldEvent) -> None:
        """Hear of an event, if it is for them; whoever is too far behind is cut off."""
        if self.because is not None or not self._wants(told):
            return
        if len(self._waiting) >= BEHIND:
            self.end(TOO_SLOW)
            return
        self._waiting.append(told)
        self._word.set()

    def end(self, because: str) -> None:
        """Hear no more, not even of what waits."""
        self.because = because
        self._waiting.clear()
        self._word.set()

    async def heard(self, within_s: float) -> list[ToldEvent]:
        """Give what has come, all of it; nothing after so many seconds, or at the end."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._word.wait()
        # Taken without waiting again: what is not in it has not been told yet.
        self._word.clear()
        found = list(self._waiting)
        self._waiting.clear()
        return found

    def _wants(self, told: ToldEvent) -> bool:
        mine = self.login.user.owner in (None, told.owner)
        return mine and self.bot_id in (None, told.event.bot_id)


class Place(NamedTuple):
    """Where a follower goes on: behind `since`; what comes behind `until` he hears by himself."""

    since: EventCursor
    until: EventCursor
    is_known: bool = True
    """Whether it is the one that was named."""


class Following:
    """Reads the events while somebody follows them, and nobody else does in this process.

    Args:
        log: The events.
        users: Who knows which logins stand.
        most: Followers at a time.
        timer: Wall time; the machine's unless a test has its own.
    """

    def __init__(self, log: EventLog, users: Logins, most: int, timer: Timer | None = None) -> None:
        self._log = log
        self._users = users
        self._most = most
        self._timer = timer or RealTimer()
        self._troubles = Troubles("live events")
        self._followers: set[Follower] = set()
        self._reading: asyncio.Task[None] | None = None
        self._one_page = asyncio.Lock()
        self._began = asyncio.Event()
        self._turn = asyncio.Event()
        self._asked_ms = 0
        self.position = EventCursor(0, 0)
        """Up to where the followers have heard."""

    def join(self, follower: Follower) -> None:
        """Take one more; he is told from when `events_of` is asked.

        Raises:
            Unavailable: There are as many as there may be.
        """
        if len(self._followers) >= self._most:
            raise Unavailable(
                f"{self._most} clients follow the events of this API, which is as many as it may "
                "have (OXBOT_API_STREAMS). Try again when one has gone."
            )
        self._followers.add(follower)
        if self._reading is None:
            self._asked_ms = self._timer.wall_ms()
            self._turn.clear()
            self._reading = asyncio.create_task(self._read())
            self._reading.add_done_callback(self._has_ended)

    def leave(self, follower: Follower) -> None:
        """Forget a follower; when the last has gone, nothing is read any more."""
        self._followers.discard(follower)
        if not self._followers and self._reading is not None:
            self._reading.cancel()
            self._reading = None
            self._began.clear()

    def close(self) -> None:
        """End all streams, since the process ends."""
        for follower in self._followers:
            follower.end(CLOSED)
        self._turn.set()

    @property
    def has_begun(self) -> bool:
        """Whether there is a place yet from which followers go on."""
        return self._began.is_set()

    async def turned(self, within_s: float) -> bool:
        """Wait until reading has begun, or has ended before; whether it did within such a time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._turn.wait()
        return self._turn.is_set()

    async def place_of(self, cursor: EventCursor | None) -> Place:
        """Find the place from which to go on.

        Raises:
            StoreUnavailable: PostgreSQL does not answer.
        """
        await self._began.wait()
        here = self.position
        if cursor is None:
            return Place(here, here)
        known = await self._log.has_come_to(cursor)
        return Place(cursor, here) if known else Place(here, here, is_known=False)

    async def missed(self, follower: Follower, place: Place) -> AsyncIterator[ToldEvent]:
        """Give what a follower has missed up to where he heard the first word.

        Raises:
            StoreUnavailable: PostgreSQL does not answer.
        """
        since, owner = place.since, follower.login.user.owner
        while since < place.until:
            async with self._one_page:
                page = await self._log.between(since, place.until, owner, follower.bot_id)
            for told in page:
                yield told
            since = page[-1].cursor if page else place.until

    def _has_ended(self, reading: "asyncio.Task[None]") -> None:
        """Send everybody away where reading has failed, so that they come back to a new one."""
        if reading.cancelled() or (error := reading.exception()) is None:
            return
        log.error("live events are not read", exc_info=error)
        for follower in self._followers:
            follower.end(FAILED)
        self._turn.set()
        self._reading = None
        self._began.clear()

    def _is_mine(self) -> bool:
        """Whether the task that asks is the one that reads: a cancellation may be swallowed."""
        return self._reading is asyncio.current_task()

    async def _read(self) -> None:
        while self._is_mine():
            try:
                await self._look()
            except OxbotError as error:
                self._troubles.has("record", error)
                await self._timer.sleep(1)
            else:
                self._troubles.has_none("record")
                await self._timer.sleep(LOOK_EVERY_S)

    async def _look(self) -> None:
        if not self._began.is_set():
            self.position = await self._log.opened()
            self._began.set()
            self._turn.set()
        await self._ask_again()
        told = await self._log.after(self.position)
        if not self._is_mine():
            return
        self.position = told.until
        for event in told.events:
            for follower in self._followers:
                follower.hear(event)

    async def _ask_again(self) -> None:
        """Cut off whose login is over, and learn what the others may see."""
        now_ms = self._timer.wall_ms()
        if now_ms - self._asked_ms < ASK_EVERY_MS:
            return
        asked = frozenset(self._followers)  # who joins meanwhile was asked about by his request
        logins = {follower.login.id for follower in asked}
        _hold_to(asked, await self._users.standing(logins, now_ms))
        self._asked_ms = now_ms


def _hold_to(asked: Collection[Follower], standing: Mapping[str, Login]) -> None:
    for follower in asked:
        if login := standing.get(follower.login.id):
            follower.login = login
        else:
            follower.end(SIGNED_OUT)
