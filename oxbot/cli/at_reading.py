"""The record to be looked through, for one command."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from oxbot.bootstrap.record import open_reading
from oxbot.cli.at_rest import on_record
from oxbot.cli.config_sources import load_settings
from oxbot.ports.reading import Reading

Result = TypeVar("Result")


def from_record(look: Callable[[Reading], Awaitable[Result]]) -> Result:
    """Look something up, also where no system runs on the data directory.

    Raises:
        SetupError: No system is running, and none is named.
        Unavailable: PostgreSQL does not answer.
    """

    async def done() -> Result:
        async with on_record(load_settings()) as settings, open_reading(settings) as reading:
            return await look(reading)

    return asyncio.run(done())
