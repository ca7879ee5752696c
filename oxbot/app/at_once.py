"""All bots told at once, whoever of them is silent, and what the record says of them afterwards.

Each is told by a signal, which Temporal keeps for it: no worker has to be at work, and none that
is away is waited for before the next is told. What came of it is read from the record alone.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final, Protocol, TypeVar

from oxbot.domain.bot import Bot, BotStatus, Mode
from oxbot.domain.errors import OxbotError, StoreUnavailable, Unanswered

AT_ONCE: Final = 32
"""So many bots are told at a time."""

READ_AT_ONCE: Final = 8
"""So many are read at a time: the record's few connections are the desk's, which others at it need
as well."""

WITHIN_S: Final = 20.0
"""Seconds after which, all being told, the answer says what is not done."""

READ_WITHIN_S: Final = 30.0
"""Seconds for reading what each line says; what was not read by then is said to be unknown."""

LOOK_EVERY_S: Final = 0.5
"""Seconds between two looks at the record."""

UNREAD: Final = (
    "The record did not answer in time: nobody can say here what is left. Look with `oxbot bots "
    "list`, or ask again."
)

UNHEARD: Final = (
    "it was told, and has not taken that up yet; it does as soon as a worker runs: `oxbot doctor` "
    "tells whether one does"
)

Result = TypeVar("Result")
Troubles = dict[str, OxbotError]
"""What kept bots from being told, by their ids."""


class Tally(Protocol):
    """Hears how far it is."""

    def begun(self, what: str, total: int) -> None:
        """Hear what is counted from now on, and up to which number."""
        ...

    def came_to(self, count: int) -> None:
        """Hear how many it is by now."""
        ...


class Untallied:
    """A tally that nobody reads."""

    def begun(self, what: str, total: int) -> None:
        """Hear nothing."""

    def came_to(self, count: int) -> None:
        """Hear nothing."""


UNTALLIED: Final = Untallied()


async def tell_all(
    bots: Sequence[Bot], tell: Callable[[str], Awaitable[None]], tally: Tally = UNTALLIED
) -> Troubles:
    """Tell bots, those with real money first; give what kept each of the others from it."""
    told, troubles = 0, Troubles()
    tally.begun("told", len(bots))

    async def one(bot: Bot) -> None:
        nonlocal told
        try:
            await tell(bot.id)
        except OxbotError as error:
            troubles[bot.id] = error
        told += 1
        tally.came_to(told)

    await each_of(_live_first(bots), one, AT_ONCE)
    return troubles


async def each_of(
    bots: Sequence[Bot], work: Callable[[Bot], Awaitable[Result]], at_once: int
) -> list[Result]:
    """Do something with each bot, so many at a time; begun and given in the order of the bots."""
    gate = asyncio.Semaphore(at_once)

    async def one(bot: Bot) -> Result:
        async with gate:
            return await work(bot)

    return await asyncio.gather(*map(one, bots))


async def each_read(
    bots: Sequence[Bot], read: Callable[[Bot], Awaitable[Result]]
) -> list[Result | OxbotError]:
    """Read something of each bot, a few at a time; what went wrong with one is in its place."""
    until_s = asyncio.get_running_loop().time() + READ_WITHIN_S
    return await each_of(bots, partial(_read_by, until_s, read), READ_AT_ONCE)


async def _read_by(
    until_s: float, read: Callable[[Bot], Awaitable[Result]], bot: Bot
) -> Result | OxbotError:
    try:
        async with asyncio.timeout_at(until_s):
            return await read(bot)
    except TimeoutError:
        return StoreUnavailable(UNREAD)
    except OxbotError as error:
        return error


def _live_first(bots: Sequence[Bot]) -> list[Bot]:
    return sorted(bots, key=lambda bot: bot.settings.mode is not Mode.LIVE)


def reached(bots: Sequence[Bot], troubles: Troubles) -> list[Bot]:
    """Give the bots that know of it, or may."""
    return [
        bot for bot in bots if bot.id not in troubles or isinstance(troubles[bot.id], Unanswered)
    ]


async def until_done(
    bots: Sequence[Bot],
    done: Callable[[Sequence[Bot]], Awaitable[frozenset[str]]],
    tally: Tally = UNTALLIED,
) -> None:
    """Look at bots until they are done, but no longer than `WITHIN_S`; `done` gives who is.

    While the record does not answer none is done.
    """
    tally.begun("done", len(bots))
    until_s, left = time.monotonic() + WITHIN_S, list(bots)
    while left:
        gone = await _or_none(done(left))
        left = [bot for bot in left if bot.id not in gone]
        tally.came_to(len(bots) - len(left))
        if not left or time.monotonic() >= until_s:
            return
        await asyncio.sleep(LOOK_EVERY_S)


async def _or_none(done: Awaitable[frozenset[str]]) -> frozenset[str]:
    try:
        return await done
    except StoreUnavailable:
        return frozenset()


def has_paused(before: Bot, now: Bot) -> bool:
    """Whether a bot has taken a pause up since it was told, or enters nothing any more anyway.

    Until its epoch has risen, what it was told before can be on its way yet.
    """
    is_ending = now.status in (BotStatus.CLOSING, BotStatus.STOPPED)
    return is_ending or (now.status is BotStatus.PAUSED and now.epoch > before.epoch)
