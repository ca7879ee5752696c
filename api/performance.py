"""How a bot did: its equity curve and its statistics."""

from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from api.problems import PROBLEM
from api.reading import CSV, AskedBot, Form, TheReading, as_file, json_text
from oxbot.app.statistics import Statistics, statistics
from oxbot.domain.values import Value
from oxbot.records.reading import EquityPoint, Stretch

router = APIRouter(
    prefix="/bots/{bot_id}",
    tags=["bots"],
    responses={401: PROBLEM, 404: PROBLEM, 422: PROBLEM, 503: PROBLEM},
)

LATEST_MS: Final = 253_402_300_799_999
"""The last millisecond of the year 9999, beyond which there is no date."""

Time = Annotated[int | None, Query(ge=0, le=LATEST_MS, description="Venue ms since 1970 (UTC).")]
Points = Annotated[int, Query(ge=2, le=2_000, description="At most so many points.")]


class Curve(Value):
    """An equity curve, oldest point first; `items` are the last points of equal slices."""

    items: tuple[EquityPoint, ...]


@router.get("/equity", response_model=Curve, responses=CSV)
async def equity(
    reading: TheReading,
    bot: AskedBot,
    since_ms: Time = None,
    until_ms: Time = None,
    points: Points = 500,
    form: Form = "json",
) -> Response:
    """Give the equity curve, thinned out to so many points; the newest is always there.

    With `format=csv` all points of the stretch, newest first.
    """
    stretch = Stretch(since_ms=since_ms, until_ms=until_ms)
    if form == "csv":
        all_ = partial(reading.equity, stretch=stretch)
        await reading.must_exist(bot.id, bot.owner)
        return await as_file("equity", all_, EquityPoint, bot.id, None)
    curve = await reading.curve_written(bot.id, stretch, points, bot.owner)
    return json_text(f'{{"items":{curve}}}')


@router.get("/statistics")
async def figures(reading: TheReading, bot: AskedBot) -> Statistics:
    """Give statistics after fees and model cost; docs/api.md explains each."""
    return await statistics(reading, bot.id, bot.owner)
