"""What `oxbot events follow` does: a line for each event, until Ctrl-C or nobody reads."""

import asyncio
import json
import os
import re
import select
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from oxbot.app.followed import followed
from oxbot.app.following import RESET, Follower, Following
from oxbot.app.following_here import OWNER, OwnersLogin
from oxbot.app.telling import when, zone
from oxbot.bootstrap.record import open_event_log, open_reading
from oxbot.cli import failures
from oxbot.cli.config_sources import load_settings
from oxbot.domain.errors import InputError, Unavailable
from oxbot.logs import configure_logs
from oxbot.records.told import PLACE, EventCursor, ToldEvent
from oxbot.settings import Settings


@dataclass
class Wish:
    """Which bots, all where none is named; from which place on, how, and in which zone."""

    bots: frozenset[str]
    place: EventCursor | None
    as_json: bool
    zone: tzinfo


def follow(bots: Sequence[str], after: str | None, *, as_json: bool) -> None:
    """Write events until Ctrl-C.

    Raises:
        InputError: That is no cursor.
        NotFound: There is no such bot.
        Unavailable: PostgreSQL does not answer at the beginning, or events cannot be read.
    """
    settings = load_settings()
    configure_logs(settings.log_format, "warning")
    place = None if after is None else _place(after)
    wish = Wish(frozenset(bots), place, as_json, zone(settings.timezone))
    try:
        asyncio.run(_followed(settings, wish))
    except KeyboardInterrupt:  # how one ends it
        _say_how_to_go_on(wish)
    except BrokenPipeError:  # whoever read the lines has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _place(after: str) -> EventCursor:
    if not re.fullmatch(PLACE, after):
        raise InputError(
            f"{after!r} is no cursor: it is what a line of `--json` has as `cursor`, such as "
            "1312-87, or 0-0 for everything."
        )
    return EventCursor.of(after)


async def _followed(settings: Settings, wish: Wish) -> None:
    async with open_reading(settings) as reading, open_event_log(settings) as log:
        for bot_id in wish.bots:
            await reading.must_exist(bot_id)
        await log.opened()  # says at once where nobody answers
        following, follower = Following(log, OwnersLogin(), most=1), _follower(wish)
        following.join(follower)
        try:
            await _write_all(following, follower, wish)
        finally:
            following.leave(follower)
        raise Unavailable(follower.because or "The events end here.")


def _follower(wish: Wish) -> Follower:
    """Have the record choose where it is one bot; of several, all are read."""
    return Follower(OWNER, next(iter(wish.bots)) if len(wish.bots) == 1 else None)


async def _write_all(following: Following, follower: Follower, wish: Wish) -> None:
    async for heard in followed(following, follower, wish.place):
        if heard.is_reset:
            failures.tell("Reset", RESET, as_json=wish.as_json)
        for told in heard.events:
            if not wish.bots or told.event.bot_id in wish.bots:
                _write(told, wish)
        wish.place = heard.place or wish.place
        if not heard.events:
            _must_be_read()


def _must_be_read() -> None:
    """Notice between two events that nobody reads any more, as in `follow | head -2`."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    if any(seen & (select.POLLERR | select.POLLHUP) for _, seen in poll.poll(0)):
        raise BrokenPipeError


def _write(told: ToldEvent, wish: Wish) -> None:
    event = told.event
    if wish.as_json:
        line = json.dumps({"cursor": str(told.cursor), **event.model_dump()}, ensure_ascii=False)
    else:
        line = f"{when(event.at_ms, wish.zone)}  {event.bot_id}  {event.kind}: {event.text}"
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _say_how_to_go_on(wish: Wish) -> None:
    if wish.place is not None and not wish.as_json:
        sys.stderr.write(f"\nGo on with: oxbot events follow --after {wish.place}\n")
