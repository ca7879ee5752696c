"""How a request gets at the record, and how a list is answered: as a page, or whole as CSV."""

from typing import Annotated, Final, Literal, NamedTuple, TypeVar, cast

from fastapi import Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from api.problems import Responses
from api.signed_in import BotId, TheUser
from oxbot.app.csv_lines import PAGE_ROWS, Fetch, csv_text, walked
from oxbot.domain.values import Value
from oxbot.ports.reading import ListName, Reading
from oxbot.records.reading import Part

Row = TypeVar("Row", bound=Value)

Limit = Annotated[int, Query(ge=1, le=500, description="At most so many, newest first.")]
Cursor = Annotated[
    str | None,
    Query(max_length=60, description="The `next` of the page before; else the newest."),
]
Form = Annotated[
    Literal["json", "csv"],
    Query(alias="format", description="json: a page. csv: all from the cursor on, as a file."),
]

CSV: Final[Responses] = {
    200: {"content": {"text/csv": {}}, "description": "A page, or with `format=csv` a file."}
}


async def _reading(request: Request) -> Reading:
    return cast("Reading", request.app.state.reading)


async def _part(limit: Limit = 100, cursor: Cursor = None) -> Part:
    return Part(limit=limit, cursor=cursor)


TheReading = Annotated[Reading, Depends(_reading)]
ThePart = Annotated[Part, Depends(_part)]


def as_json(answer: Value) -> Response:
    """Answer with a value as it is: it was validated when it was made."""
    return json_text(answer.model_dump_json())


async def _seen(reading: TheReading, user: TheUser, bot_id: BotId) -> str:
    """Give the id of a bot of the user's; another's is not found. No more of it is read."""
    await reading.must_exist(bot_id, user.owner)
    return bot_id


SeenBot = Annotated[str, Depends(_seen)]


class Asked(NamedTuple):
    """A bot that is asked for, by its id, and whose it has to be; None: anybody's.

    Nobody has looked yet: the statement that reads of it does.
    """

    id: str
    owner: str | None


async def _asked(user: TheUser, bot_id: BotId) -> Asked:
    return Asked(bot_id, user.owner)


AskedBot = Annotated[Asked, Depends(_asked)]


def json_text(text: str) -> Response:
    """Answer with what is JSON already."""
    return Response(text, media_type="application/json")


async def listed(
    name: ListName, reading: Reading, kind: type[Value], bot: Asked, part: Part, form: str
) -> Response:
    """Answer with a page of a bot's list, or with all of it from the cursor on."""
    if form == "csv":
        await reading.must_exist(bot.id, bot.owner)
        return await as_file(name, getattr(reading, name), kind, bot.id, part.cursor)
    return json_text(await reading.written(name, bot.id, part, bot.owner))


async def as_file(
    name: str, fetch: Fetch[Row], kind: type[Row], bot_id: str, cursor: str | None
) -> Response:
    """Answer with a list as a file, read page by page; one that breaks off has no end.

    The first page is read before anything is answered, so that whatever is wrong is a problem.
    """
    first = await fetch(bot_id, Part(limit=PAGE_ROWS, cursor=cursor))
    text = csv_text(kind, walked(fetch, bot_id, first))
    named = {"Content-Disposition": f'attachment; filename="{bot_id}-{name}.csv"'}
    return StreamingResponse(text, media_type="text/csv; charset=utf-8", headers=named)
