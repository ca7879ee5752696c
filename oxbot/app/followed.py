"""What one follower hears, in order: what was missed, then what comes, until he is sent away."""

from collections.abc import AsyncIterator
from typing import NamedTuple

from oxbot.app.following import ALIVE_S, Follower, Following
from oxbot.records.told import EventCursor, ToldEvent


class Heard(NamedTuple):
    """Events, none in a sign of life, and the place from which to go on after them.

    `place` is None while there is none yet: PostgreSQL does not answer, or a restored record is
    put right. `is_reset`: the place that was named is not known here, and what follows begins at
    `place`.
    """

    events: tuple[ToldEvent, ...]
    place: EventCursor | None
    is_reset: bool = False


async def followed(
    following: Following, follower: Follower, since: EventCursor | None
) -> AsyncIterator[Heard]:
    """Give what was missed behind a place, a sign of life, and what comes, until he is sent away.

    Raises:
        StoreUnavailable: PostgreSQL does not answer while it is asked for what was missed.
    """
    while not following.has_begun and follower.because is None:
        if not await following.turned(ALIVE_S):
            yield Heard((), None)
    if follower.because is not None:
        return
    found = await following.place_of(since)
    if not found.is_known:
        yield Heard((), found.since, is_reset=True)
    async for told in following.missed(follower, found):
        yield Heard((told,), told.cursor)
    place = max(found.since, found.until)
    yield Heard((), place)
    while follower.because is None:
        heard = tuple(told for told in await follower.heard(ALIVE_S) if told.cursor > place)
        if follower.because is None:
            place = heard[-1].cursor if heard else max(place, following.position)
            yield Heard(heard, place)
