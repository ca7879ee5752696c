"""`/status`: the venue, its watch, each price's age and source, the breakers, protection."""

from fastapi import APIRouter

from api.desk import TheAlarm, TheDesk
from api.routes import PROBLEM
from oxbot.app.alarm import ProtectionStatus
from oxbot.app.market_status import MarketStatus, market_status

router = APIRouter(tags=["market"], responses={503: PROBLEM})


class Status(MarketStatus):
    """The market, and whether open positions are watched."""

    protection: ProtectionStatus


@router.get("/status")
async def status(desk: TheDesk, alarm: TheAlarm) -> Status:
    """Tell how prices come: ages in ms of the venue's time, all other times in wall ms (UTC)."""
    market = await market_status(desk)
    return Status(**dict(market), protection=await alarm.status())
