"""The bots as JSON: Decimals as strings, trading times in ms of the venue's clock (UTC)."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.desk import TheDesk
from api.problems import PROBLEM
from api.signed_in import TheBot, TheUser
from oxbot.app import bots
from oxbot.app.bots import BotPage
from oxbot.app.overview import BotLine, overview
from oxbot.records import CycleRow, EventRow, OrderRow, TradeRow

router = APIRouter(prefix="/bots", tags=["bots"], responses={401: PROBLEM, 503: PROBLEM})
of_one = APIRouter(prefix="/{bot_id}", responses={404: PROBLEM})

Limit = Annotated[int, Query(ge=1, le=500, description="At most so many, newest first.")]


@router.get("")
async def list_bots(desk: TheDesk, user: TheUser) -> list[BotLine]:
    """Give your bots, oldest first, with their last cycle and what they hold.

    An administrator's list has everybody's.
    """
    return await overview(desk, user.owner)


@of_one.get("")
async def show_bot(desk: TheDesk, bot: TheBot, limit: Limit = 10) -> BotPage:
    """Give one bot in full; `view` is what its workflow says now, null if it does not answer."""
    return await bots.show_bot(desk, bot.id, limit)


@of_one.get("/cycles")
async def cycles(desk: TheDesk, bot: TheBot, limit: Limit = 100) -> list[CycleRow]:
    """Give the last cycles."""
    return await desk.store.cycles(bot.id, limit)


@of_one.get("/orders")
async def orders(desk: TheDesk, bot: TheBot, limit: Limit = 100) -> list[OrderRow]:
    """Give the last orders with what they filled."""
    return await desk.store.orders(bot.id, limit)


@of_one.get("/trades")
async def trades(desk: TheDesk, bot: TheBot, limit: Limit = 100) -> list[TradeRow]:
    """Give the last round trips."""
    return await desk.store.trades(bot.id, limit)


@of_one.get("/events")
async def events(desk: TheDesk, bot: TheBot, limit: Limit = 100) -> list[EventRow]:
    """Give the last events."""
    return await desk.store.events(bot.id, limit)


router.include_router(of_one)
