"""The application: routes, errors, and the headers that every answer carries."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from starlette.middleware.trustedhost import TrustedHostMiddleware

from api import health, metrics, page, problems, reference, routes, status
from oxbot import __version__
from oxbot.app.alarm import Alarm
from oxbot.bootstrap import open_desk, resolve
from oxbot.settings import Settings

DESCRIPTION = (
    "What the bots do. This version reads and controls nothing: making, pausing and stopping "
    "bots is done with the command line (`oxbot bots`) until there are accounts to sign in with."
)

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""No script at all, nothing from elsewhere, nothing kept."""

LOOPBACK = ("127.0.0.1", "localhost")


def create_app(settings: Settings) -> FastAPI:
    """Make the application; servers that are away are met by the requests that need them.

    Raises:
        SetupError: No system is running on this machine, and none is named.
    """
    found = resolve(settings)
    app = FastAPI(
        title="0xBot",
        version=__version__,
        description=DESCRIPTION,
        lifespan=_desk_opened,
        docs_url=None,
        redoc_url=None,
    )
    app.state.settings = found
    for part in (health, routes, status, metrics, page, reference):
        app.include_router(part.router)
    problems.install(app)
    app.middleware("http")(_with_headers)
    if found.api_host in LOOPBACK:  # a web site that names us by its own host gets no answer
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(LOOPBACK))
    return app


@asynccontextmanager
async def _desk_opened(app: FastAPI) -> AsyncIterator[None]:
    async with open_desk(app.state.settings) as desk:
        app.state.desk = desk
        app.state.alarm = Alarm(desk)
        ringing = asyncio.create_task(app.state.alarm.run())
        yield
        ringing.cancel()
        await asyncio.gather(ringing, return_exceptions=True)


async def _with_headers(
    request: Request, answer: Callable[[Request], Awaitable[Response]]
) -> Response:
    response = await answer(request)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response
