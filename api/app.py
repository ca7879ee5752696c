"""The application: routes, errors, and the headers that every answer carries."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from fastapi import FastAPI, Request, Response
from starlette.middleware.trustedhost import TrustedHostMiddleware

from api import (
    control,
    health,
    metrics,
    page,
    performance,
    problems,
    reference,
    routes,
    sign_in,
    status,
    users,
)
from api.attempts import no_attempts
from oxbot import __version__
from oxbot.adapters.access.tokens import checked
from oxbot.app.alarm import Alarm
from oxbot.bootstrap import (
    open_desk,
    open_reading,
    open_reception,
    resolve,
    spare_the_collector,
)
from oxbot.settings import Settings

DESCRIPTION = (
    "What the bots do, and how they are controlled. `POST /login` gives an access token, which "
    "goes into the header `Authorization: Bearer ...`; the first who registers (`POST /register`) "
    "is the administrator. Everybody sees their own bots, administrators all of them."
)

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""No script at all, nothing from elsewhere, nothing kept."""

PARTS = (
    health,
    users,
    routes,
    performance,
    control,
    status,
    metrics,
    sign_in,
    page,
    reference,
)
"""The modules whose routes there are."""

LOOPBACK = ("127.0.0.1", "localhost")


def create_app(settings: Settings) -> FastAPI:
    """Make the application; servers that are away are met by the requests that need them.

    Raises:
        SetupError: No system is running on this machine, and none is named; or the secret that
            signs access tokens is missing, short or an example's.
    """
    found = resolve(settings)
    secret = checked(settings.api_secret.get_secret_value())
    app = FastAPI(
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
    for part in PARTS:
        app.include_router(part.router)
    problems.install(app)
    app.exception_handler(sign_in.NotSignedIn)(sign_in.to_sign_in)
    app.exception_handler(sign_in.PageTrouble)(sign_in.to_trouble)
    app.middleware("http")(_with_headers)
    if found.api_host in LOOPBACK:  # a web site that names us by its own host gets no answer
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(LOOPBACK))
    return app


@asynccontextmanager
async def _desk_opened(app: FastAPI) -> AsyncIterator[None]:
    settings, secret = app.state.settings, app.state.secret
    async with (
        open_desk(settings) as desk,
        open_reception(settings, secret) as reception,
        open_reading(settings) as reading,
    ):
        app.state.desk, app.state.reception, app.state.reading = desk, reception, reading
        app.state.alarm = Alarm(desk)
        spare_the_collector()
        ringing = asyncio.create_task(app.state.alarm.run())
        yield
        ringing.cancel()
        await asyncio.gather(ringing, return_exceptions=True)


def _of_another_site(request: Request) -> Response | None:
    """Refuse what a page of another site sends: it could register before its owner does."""
    origin = request.headers.get("origin")
    if origin is None or urlsplit(origin).netloc == request.headers.get("host"):
        return None
    return problems.problem(request, 403, "Forbidden", "Pages of other sites get no answer here.")


async def _with_headers(
    request: Request, answer: Callable[[Request], Awaitable[Response]]
) -> Response:
    response = _of_another_site(request) or await answer(request)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response
