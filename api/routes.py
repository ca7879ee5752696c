"""The bots as JSON: Decimals as strings, trading times in ms of the venue's clock (UTC)."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.desk import TheDesk
from api.problems import MEDIA_TYPE, Problem
from oxbot.app import bots
from oxbot.app.bots import BotPage
from oxbot.app.overview import BotLine, overview
from oxbot.records import CycleRow, EventRow, OrderRow, TradeRow

PROBLEM = {"model": Problem, "content": {MEDIA_TYPE: {}}}

router = APIRouter(prefix="/bots", tags=["bots"], responses={503: PROBLEM})
of_one = APIRouter(prefix="/{bot_id}", responses={404: PROBLEM})

BotId = Annotated[str, Path(max_length=60, description="The bot's id.")]
Limit = Annotated[int, Query(ge=1, le=500, description="At most so many, newest first.")]


@router.get("")
async def list_bots(desk: TheDesk) -> list[BotLine]:
    """Give all bots, oldest first, with their last cycle and what they hold."""
    return await overview(desk)


@of_one.get("")
async def show_bot(desk: TheDesk, bot_id: BotId, limit: Limit = 10) -> BotPage:
    """Give one bot in full; `view` is what its workflow says now, null if it does not answer."""
    return await bots.show_bot(desk, bot_id, limit)


@of_one.get("/cycles")
async def cycles(desk: TheDesk, bot_id: BotId, limit: Limit = 100) -> list[CycleRow]:
    """Give the last cycles."""
    await desk.store.bot(bot_id)
    return await desk.store.cycles(bot_id, limit)


@of_one.get("/orders")
async def orders(desk: TheDesk, bot_id: BotId, limit: Limit = 100) -> list[OrderRow]:
    """Give the last orders with what they filled."""
    await desk.store.bot(bot_id)
    return await desk.store.orders(bot_id, limit)


@of_one.get("/trades")
async def trades(desk: TheDesk, bot_id: BotId, limit: Limit = 100) -> list[TradeRow]:
    """Give the last round trips."""
    await desk.store.bot(bot_id)
    return await desk.store.trades(bot_id, limit)


@of_one.get("/events")
async def events(desk: TheDesk, bot_id: BotId, limit: Limit = 100) -> list[EventRow]:
    """Give the last events."""
    await desk.store.bot(bot_id)
    return await desk.store.events(bot_id, limit)


router.include_router(of_one)
