"""The application: routes, errors, and the doors before them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

from fastapi import FastAPI
from starlette.types import ASGIApp

from api import (
    books,
    control,
    event_stream,
    everything,
    health,
    keeping,
    metrics,
    page,
    performance,
    positions,
    problems,
    reference,
    routes,
    sign_in,
    status,
    users,
)
from api.attempts import no_attempts
from api.document import mended
from api.doors import Doors, Hosts, is_loopback
from api.lookout import POOL, Shared
from oxbot import __version__
from oxbot.adapters.access.tokens import checked
from oxbot.app.alarm import Alarm
from oxbot.app.audit import Auditors
from oxbot.app.following import Following
from oxbot.app.system_status import system_status
from oxbot.bootstrap import open_desk, open_reception, spare_the_collector
from oxbot.bootstrap.addresses import resolve
from oxbot.bootstrap.record import open_books, open_event_log, open_reading
from oxbot.bootstrap.status import open_probes
from oxbot.settings import Settings

DESCRIPTION = (
    "What the bots do, and how they are controlled. `POST /login` gives an access token, which "
    "goes into the header `Authorization: Bearer ...`; the first who registers (`POST /register`) "
    "is the administrator. Everybody sees their own bots, administrators all of them."
)

FRESH_S: Final = 1.0
"""Seconds for which one answer of metrics and of readiness serves all who ask."""

PARTS: Final = (
    *(health, users, routes, positions, books, performance, event_stream),
    *(control, keeping, everything),
    *(status, metrics, sign_in, page, reference),
)
"""The routes, in the order in which the reference lists them."""


class _Application(FastAPI):
    """FastAPI with a document that is true, and the doors before all else, its errors included."""

    def openapi(self) -> dict[str, Any]:  # Any: as the framework has it
        """Give the document, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = mended(super().openapi())
        return self.openapi_schema

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
        lifespan=_opened,
        docs_url=None,
        redoc_url=None,
    )
    app.state.settings = found
    app.state.secret = secret
    app.state.attempts = no_attempts()
    for part in PARTS:
        app.include_router(part.router)
    problems.install(app)
    app.exception_handler(sign_in.NotSignedIn)(sign_in.to_sign_in)
    app.exception_handler(sign_in.PageTrouble)(sign_in.to_trouble)
    return app


@asynccontextmanager
async def _opened(app: FastAPI) -> AsyncIterator[None]:
    """Open what requests need; what anybody may ask for has connections of its own."""
    settings, secret = app.state.settings, app.state.secret
    is_called_from_elsewhere = settings.api_hosts or settings.api_proxies
    is_local = is_loopback(settings.api_host) and not is_called_from_elsewhere
    async with (
        open_desk(settings) as desk,
        open_desk(settings, POOL) as looking,
        open_reception(settings, secret, is_local=is_local) as reception,
        open_event_log(settings) as log,
        open_reading(settings) as reading,
        open_books(settings) as audited,
        open_probes(settings) as probes,
    ):
        alarm = Alarm(looking)
        app.state.desk, app.state.reception, app.state.alarm = desk, reception, alarm
        app.state.reading, app.state.auditors = reading, Auditors(audited)
        app.state.readiness = Shared(partial(health.look, looking), FRESH_S)
        app.state.scraped = Shared(partial(metrics.scrape, looking, alarm), FRESH_S)
        app.state.system = Shared(partial(system_status, probes), FRESH_S)
        app.state.following = Following(log, reception.users, settings.api_streams)
        spare_the_collector()
        ringing = asyncio.create_task(alarm.run())
        yield
        app.state.following.close()
        ringing.cancel()
        await asyncio.gather(ringing, return_exceptions=True)
