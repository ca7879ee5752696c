"""Whether a bot's books agree with the fills that they were made from."""

from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request

from api.problems import PROBLEM
from api.signed_in import TheBot
from oxbot.app.audit import Auditors
from oxbot.domain.values import Value
from oxbot.records import AuditFigures

router = APIRouter(
    prefix="/bots/{bot_id}",
    tags=["bots"],
    responses={401: PROBLEM, 404: PROBLEM, 422: PROBLEM, 503: PROBLEM},
)


class Found(Value):
    """What an audit found; `broken` says why the books cannot be made again, where they cannot."""

    bot_id: str
    agrees: bool
    figures: AuditFigures | None
    broken: str | None = None


async def _auditors(request: Request) -> Auditors:
    return cast("Auditors", request.app.state.auditors)


@router.get("/books")
async def books(auditors: Annotated[Auditors, Depends(_auditors)], bot: TheBot) -> Found:
    """Make the books again from all fills, and hold cash, positions, trades and ledger against it.

    Books that do not agree are an answer, not an error: `differences` says what differs.
    """
    audit = await auditors.audit(bot)
    return Found(bot_id=bot.id, agrees=audit.is_sound, figures=audit.figures, broken=audit.broken)
