"""The application: routes, errors, and the doors before them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.types import ASGIApp

from api import (
    control,
    health,
    metrics,
    page,
    problems,
    reference,
    routes,
    sign_in,
    status,
    users,
)
from api.attempts import no_attempts
from api.doors import Doors, Hosts
from oxbot import __version__
from oxbot.adapters.access.tokens import checked
from oxbot.app.alarm import Alarm
from oxbot.bootstrap import open_desk, open_reception, resolve
from oxbot.settings import Settings

DESCRIPTION = (
    "What the bots do, and how they are controlled. `POST /login` gives an access token, which "
    "goes into the header `Authorization: Bearer ...`; the first who registers (`POST /register`) "
    "is the administrator. Everybody sees their own bots, administrators all of them."
)


class _Application(FastAPI):
    """FastAPI with the doors before everything else, its own handling of errors included."""

    def build_middleware_stack(self) -> ASGIApp:
        """Put the doors around what there is."""
        settings: Settings = self.state.settings
        named = frozenset(name.strip().lower() for name in settings.api_hosts.split(","))
        return Doors(super().build_middleware_stack(), Hosts(settings.api_host, named))


def create_app(settings: Settings) -> FastAPI:
    """Make the application; servers that are away are met by the requests that need them.

    Raises:
        SetupError: No system is running on this machine, and none is named; or the secret that
            signs access tokens is missing, short or an example's.
    """
    found = resolve(settings)
    secret = checked(settings.api_secret.get_secret_value())
    app = _Application(
        title="0xBot",
        version=__version__,
        description=DESCRIPTION,
        lifespan=_desk_opened,
        docs_url=None,
        redoc_url=None,
    )
    app.state.settings = found
    app.state.secret = secret
    app.state.attempts = no_attempts()
    for part in (health, users, routes, control, status, metrics, sign_in, page, reference):
        app.include_router(part.router)
    problems.install(app)
    app.exception_handler(sign_in.NotSignedIn)(sign_in.to_sign_in)
    app.exception_handler(sign_in.PageTrouble)(sign_in.to_trouble)
    return app


@asynccontextmanager
async def _desk_opened(app: FastAPI) -> AsyncIterator[None]:
    settings, secret = app.state.settings, app.state.secret
    async with open_desk(settings) as desk, open_reception(settings, secret) as reception:
        app.state.desk, app.state.reception = desk, reception
        app.state.alarm = Alarm(desk)
        ringing = asyncio.create_task(app.state.alarm.run())
        yield
        ringing.cancel()
        await asyncio.gather(ringing, return_exceptions=True)
