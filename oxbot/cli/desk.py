"""The desk of the running system, for one command."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from typing import TypeVar

from oxbot.app.bots import Desk
from oxbot.bootstrap import open_desk
from oxbot.cli.config_sources import load_settings

Result = TypeVar("Result")


def at_desk(work: Callable[[Desk], Awaitable[Result]]) -> Result:
    """Do one thing at the desk of the running system.

    Raises:
        SetupError: No system is running, and none is named.
        Unavailable: A server does not answer.
    """

    async def done() -> Result:
        async with open_desk(load_settings()) as desk:
            return await work(desk)

    return asyncio.run(done())


def user() -> str:
    """Name who gives the order; a container's user may have no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"
