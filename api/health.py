"""Whether this process lives, and whether those it needs answer."""

import asyncio
from collections.abc import Awaitable
from typing import Annotated, Final, cast

import structlog
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from api.lookout import Shared
from oxbot.app.bots import Desk
from oxbot.domain.errors import NotFound, OxbotError

router = APIRouter(tags=["health"])

PATIENCE_S: Final = 3.0
"""Seconds that a server has to answer."""

NOBODY: Final = "-"
"""An id that no bot can have; any answer about it is an answer."""

SILENT: Final = "does not answer as it should; the API's log says why"
"""What anybody may know of it."""

log = structlog.get_logger(__name__)


class Health(BaseModel):
    """This process answers."""

    status: str = "ok"


class Readiness(BaseModel):
    """Each server: ok, or a sentence about what is wrong."""

    ready: bool
    postgresql: str
    temporal: str


def _readiness(request: Request) -> Shared[Readiness]:
    return cast("Shared[Readiness]", request.app.state.readiness)


@router.get("/healthz")
async def healthz() -> Health:
    """Tell that this process answers."""
    return Health()


@router.get("/readyz", responses={503: {"model": Readiness, "description": "One does not."}})
async def readyz(
    shared: Annotated[Shared[Readiness], Depends(_readiness)], response: Response
) -> Readiness:
    """Tell whether PostgreSQL and Temporal answer, as of a second ago; 503 with who does not."""
    found = await shared.get()
    response.status_code = 200 if found.ready else 503
    return found


async def look(desk: Desk) -> Readiness:
    """Ask each server something."""
    postgresql, temporal = await asyncio.gather(
        _asked("postgresql", _ask_record(desk)),
        _asked("temporal", desk.control.is_running(NOBODY)),
    )
    ready = postgresql == temporal == "ok"
    return Readiness(ready=ready, postgresql=postgresql, temporal=temporal)


async def _ask_record(desk: Desk) -> None:
    try:
        await desk.store.bot(NOBODY)
    except NotFound:
        return


async def _asked(who: str, question: Awaitable[object]) -> str:
    try:
        await asyncio.wait_for(question, PATIENCE_S)
    except OxbotError as error:
        log.warning("not ready", who=who, error=str(error))
        return SILENT
    except TimeoutError:
        return f"no answer within {PATIENCE_S:g} s"
    return "ok"
