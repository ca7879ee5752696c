"""Whether this process lives, and whether those it needs answer."""

import asyncio
from collections.abc import Awaitable
from typing import Final

from fastapi import APIRouter, Response
from pydantic import BaseModel

from api.desk import TheDesk
from oxbot.app.bots import Desk
from oxbot.domain.errors import NotFound, OxbotError

router = APIRouter(tags=["health"])

PATIENCE_S: Final = 3.0
"""Seconds that a server has to answer."""

NOBODY: Final = "-"
"""An id that no bot can have; any answer about it is an answer."""


class Health(BaseModel):
    """This process answers."""

    status: str = "ok"


class Readiness(BaseModel):
    """Each server: ok, or a sentence about what is wrong."""

    ready: bool
    postgresql: str
    temporal: str


@router.get("/healthz")
async def healthz() -> Health:
    """Tell that this process answers."""
    return Health()


@router.get("/readyz", responses={503: {"model": Readiness}})
async def readyz(desk: TheDesk, response: Response) -> Readiness:
    """Tell whether PostgreSQL and Temporal answer; 503 with who does not."""
    postgresql, temporal = await asyncio.gather(
        _asked(_ask_record(desk)), _asked(desk.control.is_running(NOBODY))
    )
    ready = postgresql == temporal == "ok"
    response.status_code = 200 if ready else 503
    return Readiness(ready=ready, postgresql=postgresql, temporal=temporal)


async def _ask_record(desk: Desk) -> None:
    try:
        await desk.store.bot(NOBODY)
    except NotFound:
        return


async def _asked(question: Awaitable[object]) -> str:
    try:
        await asyncio.wait_for(question, PATIENCE_S)
    except OxbotError as error:
        return str(error)
    except TimeoutError:
        return f"no answer within {PATIENCE_S:g} s"
    return "ok"
