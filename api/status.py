"""`/status`: the venue, its watch, each price's age, breakers, protection, live bots."""

from fastapi import APIRouter

from api.desk import TheAlarm, TheDesk, TheSettings
from api.problems import PROBLEM
from api.reading import TheReading
from api.signed_in import TheUser
from oxbot.app.alarm import Alarm, ProtectionStatus
from oxbot.app.live import LiveStatus, status_of
from oxbot.app.market_status import MarketStatus, market_status
from oxbot.domain.users import User
from oxbot.ports.reading import Reading

router = APIRouter(tags=["market"], responses={401: PROBLEM, 503: PROBLEM})


class Status(MarketStatus):
    """The market, whether open positions are watched, and which bots trade live."""

    protection: ProtectionStatus
    live: LiveStatus


@router.get("/status")
async def status(
    desk: TheDesk, reading: TheReading, alarm: TheAlarm, settings: TheSettings, user: TheUser
) -> Status:
    """Tell how prices come: ages in ms of the venue's time, all other times in wall ms (UTC).

    Bots are named to their owners and to administrators.
    """
    market = await market_status(desk)
    live = await reading.live_bots(desk.venue, user.owner)
    return Status(
        **dict(market),
        protection=await protection_of(user, alarm, reading),
        live=status_of(live, settings.live_problem),
    )


async def protection_of(user: User, alarm: Alarm, reading: Reading) -> ProtectionStatus:
    """Tell how bots are protected, and name the user's own."""
    found = await alarm.status()
    return found.of(await reading.owned(user.owner, tuple(found.unprotected)))
