"""The bots as JSON and CSV: Decimals as strings, trading times in ms of the venue's clock (UTC)."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.desk import TheDesk
from api.problems import PROBLEM
from api.reading import CSV, AskedBot, Form, Limit, ThePart, TheReading, json_text, listed
from api.signed_in import TheBot, TheUser
from oxbot.app import bots
from oxbot.app.bots import BotPage
from oxbot.app.overview import BotLine, lines_written
from oxbot.records import CycleRow, EventRow, TradeRow
from oxbot.records.reading import DecisionLine, FillRow, LedgerRow, OrderLine, Page

router = APIRouter(prefix="/bots", tags=["bots"], responses={401: PROBLEM, 503: PROBLEM})
of_one = APIRouter(prefix="/{bot_id}", responses={404: PROBLEM, 422: PROBLEM})

Archived = Annotated[bool, Query(description="Those that were archived, instead of all others.")]


@router.get("", response_model=Page[BotLine], responses={422: PROBLEM})
async def list_bots(
    reading: TheReading, user: TheUser, part: ThePart, *, archived: Archived = False
) -> Response:
    """Give your bots, the last made first, with their last cycle and what they hold.

    An administrator's list has everybody's.
    """
    return json_text(await lines_written(reading, user.owner, part, archived=archived))


@of_one.get("")
async def show_bot(desk: TheDesk, bot: TheBot, limit: Limit = 10) -> BotPage:
    """Give one bot in full; `view` is what its workflow says now, null if it does not answer."""
    return await bots.show_bot(desk, bot.id, limit)


@of_one.get("/cycles", response_model=Page[CycleRow], responses=CSV)
async def cycles(
    reading: TheReading, bot: AskedBot, part: ThePart, form: Form = "json"
) -> Response:
    """Give cycles: what came of each."""
    return await listed("cycles", reading, CycleRow, bot, part, form)


@of_one.get("/orders", response_model=Page[OrderLine], responses=CSV)
async def orders(
    reading: TheReading, bot: AskedBot, part: ThePart, form: Form = "json"
) -> Response:
    """Give orders with what they filled."""
    return await listed("orders", reading, OrderLine, bot, part, form)


@of_one.get("/trades", response_model=Page[TradeRow], responses=CSV)
async def trades(
    reading: TheReading, bot: AskedBot, part: ThePart, form: Form = "json"
) -> Response:
    """Give round trips: what was bought and sold again, and what that earned."""
    return await listed("trades", reading, TradeRow, bot, part, form)


@of_one.get("/fills", response_model=Page[FillRow], responses=CSV)
async def fills(reading: TheReading, bot: AskedBot, part: ThePart, form: Form = "json") -> Response:
    """Give fills: what the exchange has traded for the bot's orders."""
    return await listed("fills", reading, FillRow, bot, part, form)


@of_one.get("/ledger", response_model=Page[LedgerRow], responses=CSV)
async def ledger(
    reading: TheReading, bot: AskedBot, part: ThePart, form: Form = "json"
) -> Response:
    """Give the ledger, double entry: the lines of each posting sum to nothing by currency."""
    return await listed("ledger", reading, LedgerRow, bot, part, form)


@of_one.get("/decisions", response_model=Page[DecisionLine], responses=CSV)
async def decisions(
    reading: TheReading, bot: AskedBot, part: ThePart, form: Form = "json"
) -> Response:
    """Give decisions with tokens and cost, without what was asked and answered."""
    return await listed("decisions", reading, DecisionLine, bot, part, form)


@of_one.get("/events", response_model=Page[EventRow], responses=CSV)
async def events(
    reading: TheReading, bot: AskedBot, part: ThePart, form: Form = "json"
) -> Response:
    """Give events: what happened, in sentences."""
    return await listed("events", reading, EventRow, bot, part, form)


router.include_router(of_one)
