"""`/status`: the venue, its price watch, each price's age and source, the circuit breakers."""

from fastapi import APIRouter

from api.desk import TheDesk
from api.routes import PROBLEM
from oxbot.app.market_status import MarketStatus, market_status

router = APIRouter(tags=["market"], responses={503: PROBLEM})


@router.get("/status")
async def status(desk: TheDesk) -> MarketStatus:
    """Tell how prices come: ages in ms of the venue's time, all other times in wall ms (UTC)."""
    return await market_status(desk)
