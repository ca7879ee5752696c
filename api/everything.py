"""Everything that a user sees, at once: sold, or stopped."""

from typing import Annotated, Final, TypeVar

from fastapi import APIRouter, Query, Response

from api.asked import NO_REASON, SELL, Because, Stop, request_of
from api.desk import TheDesk
from api.problems import PROBLEM, Responses
from api.signed_in import TheUser
from oxbot.app.flatten import Flattened, flatten_all
from oxbot.app.stop_all import Stopped, stop_all
from oxbot.domain.users import User

router = APIRouter(tags=["control"], responses={401: PROBLEM, 503: PROBLEM})

Answer = TypeVar("Answer", Flattened, Stopped)
Mine = Annotated[
    bool, Query(description="Only your own bots, where you are an administrator and see all.")
]
SELLING: Final[Responses] = {
    202: {"model": list[Flattened], "description": "Something is left: each bot says what."}
}
CLOSING: Final[Responses] = {
    202: {"model": list[Stopped], "description": "Not all have ended: each bot says how far it is."}
}


@router.post("/flatten", responses=SELLING)
async def flatten_everything(
    desk: TheDesk,
    user: TheUser,
    response: Response,
    mine: Mine = False,  # noqa: FBT002 - as the framework has it
    asked: Because = NO_REASON,
) -> list[Flattened]:
    """Sell everything that your bots hold, and leave them paused: 200 when nothing is left.

    An administrator's are everybody's, unless `mine` is said. What goes wrong with one bot is in
    its line, and keeps no other.
    """
    done = await flatten_all(desk, request_of(user, asked), _whose(user, mine=mine))
    return _all_told(response, done)


@router.post("/stop", responses=CLOSING)
async def stop_everything(
    desk: TheDesk,
    user: TheUser,
    response: Response,
    mine: Mine = False,  # noqa: FBT002 - as the framework has it
    asked: Stop = SELL,
) -> list[Stopped]:
    """Stop all your bots for good: 200 when all have ended. Whose they are, as `/flatten`."""
    done = await stop_all(desk, request_of(user, asked), _whose(user, mine=mine))
    return _all_told(response, done)


def _whose(user: User, *, mine: bool) -> str | None:
    return user.id if mine else user.owner


def _all_told(response: Response, done: list[Answer]) -> list[Answer]:
    response.status_code = 200 if all(one.is_done for one in done) else 202
    return done
