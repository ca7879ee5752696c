"""What bots hold, at the newest prices known."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response

from api.desk import TheDesk
from api.problems import PROBLEM
from api.reading import Limit, SeenBot, TheReading, as_json
from api.signed_in import TheUser
from oxbot.app.positions import OpenPosition, Prices, open_positions
from oxbot.bootstrap import TAKER_FEE
from oxbot.records.reading import Page, Part

router = APIRouter(tags=["bots"], responses={401: PROBLEM, 422: PROBLEM, 503: PROBLEM})
of_one = APIRouter(prefix="/bots/{bot_id}", responses={404: PROBLEM})

ALL_OF_ONE: Final = Part(limit=500)
"""More than the coins that a bot can trade."""

Cursor = Annotated[
    str | None,
    Query(max_length=100, description="The `next` of the page before; else the newest."),
]


async def _prices(desk: TheDesk) -> Prices:
    return Prices(desk.venue, desk.board, TAKER_FEE)


ThePrices = Annotated[Prices, Depends(_prices)]


@router.get("/positions", response_model=Page[OpenPosition])
async def all_positions(
    reading: TheReading,
    prices: ThePrices,
    user: TheUser,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Give what your bots hold, the last opened first; an administrator's list has everybody's.

    `net_pnl` is what the round trip comes to if it is closed at `price`, fees paid.
    """
    part = Part(limit=limit, cursor=cursor)
    return as_json(await open_positions(reading, prices, user.owner, part))


@of_one.get("/positions", response_model=Page[OpenPosition])
async def positions_of_one(reading: TheReading, prices: ThePrices, bot: SeenBot) -> Response:
    """Give what one bot holds, as `GET /positions` has that of all; always one page."""
    return as_json(await open_positions(reading, prices, None, ALL_OF_ONE, bot))


router.include_router(of_one)
