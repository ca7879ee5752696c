"""Live events: `text/event-stream` of what the bots tell, from a place on if one is named."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Final, cast

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event
from starlette.types import Receive, Scope, Send

from api.problems import PROBLEM
from api.signed_in import TheBot, TheLogin
from oxbot.app.followed import followed
from oxbot.app.following import RESET, Follower, Following
from oxbot.domain.errors import OxbotError
from oxbot.domain.users import Login
from oxbot.records.told import PLACE, EventCursor, ToldEvent

router = APIRouter(tags=["events"], responses={401: PROBLEM, 503: PROBLEM})
of_one = APIRouter(prefix="/bots/{bot_id}", responses={404: PROBLEM})

READ_WITHIN_S: Final = 20.0
"""Seconds for a client to make room for more, before its connection is closed."""

NOT_YET: Final = format_sse_event(comment="the record is not read yet")
"""A sign of life without a place: PostgreSQL does not answer, or a restored record is put right."""

Place = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        pattern=PLACE,
        description="The `id` of the last event that was read: what came after it is sent first.",
    ),
]


class EventStreamAnswer(StreamingResponse):
    """An answer that goes on; a client that does not read is sent away."""

    media_type = "text/event-stream"

    def __init__(self, pieces: AsyncIterator[bytes], status_code: int = 200) -> None:
        super().__init__(pieces, status_code, headers={"X-Accel-Buffering": "no"})
        self._pieces = pieces

    async def stream_response(self, send: Send) -> None:
        """Send piece by piece."""
        start = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **start})
        async for piece in self._pieces:
            async with asyncio.timeout(READ_WITHIN_S):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer until either side ends it; one that is not read is over without a word."""
        try:
            await super().__call__(scope, receive, send)
        except TimeoutError:
            return


def _following(request: Request) -> Following:
    return cast("Following", request.app.state.following)


TheFollowing = Annotated[Following, Depends(_following)]


async def _follower(following: TheFollowing, login: TheLogin) -> AsyncIterator[Follower]:
    async for follower in _joined(following, login, None):
        yield follower


async def _follower_of_one(
    following: TheFollowing, login: TheLogin, bot: TheBot
) -> AsyncIterator[Follower]:
    async for follower in _joined(following, login, bot.id):
        yield follower


async def _joined(
    following: Following, login: Login, bot_id: str | None
) -> AsyncIterator[Follower]:
    """Hold a follower until the answer is at its end."""
    follower = Follower(login, bot_id)
    following.join(follower)
    try:
        yield follower
    finally:
        following.leave(follower)


@router.get("/events", response_class=EventStreamAnswer)
async def all_events(
    following: TheFollowing,
    follower: Annotated[Follower, Depends(_follower)],
    place: Place = None,
) -> EventStreamAnswer:
    """Follow the events of all your bots; an administrator follows everybody's.

    Each has an `id` and, as `data`, a JSON object: bot_id, kind, text, figures, at_ms (wall time).
    None is lost and none comes twice where the last `id` is named on coming back. `event: reset`
    says that there is no such place any more, `event: end` why the stream ends.
    """
    return EventStreamAnswer(_pieces(following, follower, place))


@of_one.get("/events/stream", response_class=EventStreamAnswer)
async def events_of_one(
    following: TheFollowing,
    follower: Annotated[Follower, Depends(_follower_of_one)],
    place: Place = None,
) -> EventStreamAnswer:
    """Follow the events of one bot, as `GET /events` has those of all."""
    return EventStreamAnswer(_pieces(following, follower, place))


async def _pieces(
    following: Following, follower: Follower, place: str | None
) -> AsyncIterator[bytes]:
    try:
        async for piece in _events(following, follower, place):
            yield piece
    except OxbotError as error:
        follower.end(str(error))
    yield _said("end", follower.because or "")


async def _events(
    following: Following, follower: Follower, place: str | None
) -> AsyncIterator[bytes]:
    """Give what was missed, then what comes, until the follower is sent away."""
    since = None if place is None else EventCursor.of(place)
    async for heard in followed(following, follower, since):
        if heard.place is None:
            yield NOT_YET
        elif heard.is_reset:
            yield _said("reset", RESET, heard.place)
        else:
            yield b"".join(map(_event, heard.events)) or _alive(heard.place)


def _event(told: ToldEvent) -> bytes:
    return format_sse_event(data_str=told.text, id=str(told.cursor))


def _alive(cursor: EventCursor) -> bytes:
    """Say that there is nothing to say, and from where to go on all the same."""
    return format_sse_event(comment="no news", id=str(cursor))


def _said(event: str, detail: str, cursor: EventCursor | None = None) -> bytes:
    data = json.dumps({"detail": detail})
    return format_sse_event(event=event, data_str=data, id=str(cursor) if cursor else None)


router.include_router(of_one)
