"""`/status`: the venue, its watch, each price's age, the breakers, protection, live bots."""

from fastapi import APIRouter

from api.desk import TheAlarm, TheDesk, TheSettings
from api.problems import PROBLEM
from api.signed_in import USERS
from oxbot.app.alarm import ProtectionStatus
from oxbot.app.live import LiveStatus, live_status
from oxbot.app.market_status import MarketStatus, market_status

router = APIRouter(tags=["market"], responses={401: PROBLEM, 503: PROBLEM})


class Status(MarketStatus):
    """The market, whether open positions are watched, and which bots trade live."""

    protection: ProtectionStatus
    live: LiveStatus


@router.get("/status", dependencies=[USERS])
async def status(desk: TheDesk, alarm: TheAlarm, settings: TheSettings) -> Status:
    """Tell how prices come: ages in ms of the venue's time, all other times in wall ms (UTC)."""
    market = await market_status(desk)
    return Status(
        **dict(market),
        protection=await alarm.status(),
        live=await live_status(desk, settings.live_problem),
    )
