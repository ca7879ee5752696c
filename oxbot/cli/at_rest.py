"""The record of a system, also of one that does not run: a replay's, or one that was stopped."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from oxbot.embedded import postgres
from oxbot.embedded.addresses import find_running
from oxbot.embedded.apps import Apps
from oxbot.embedded.paths import DataDirectory
from oxbot.embedded.servers import embedded_servers
from oxbot.settings import Settings


@asynccontextmanager
async def on_record(settings: Settings) -> AsyncIterator[Settings]:
    """Give settings by which the record answers, for as long as the block runs.

    Where no system runs on the data directory, its PostgreSQL is started alone, and stopped.

    Raises:
        SetupError: It does not come up.
    """
    data = DataDirectory.of(settings.home)
    kept = (data.root / postgres.NAME).is_dir()
    if settings.database_url or find_running(settings.home) or not kept:
        yield settings
        return
    async with embedded_servers(settings, _announce, (postgres.NAME,)) as addresses:
        await Apps(settings, data, addresses.as_environment()).migrate()
        yield settings.model_copy(update={"database_url": addresses.database_url})


def _announce(line: str) -> None:
    sys.stderr.write(f"{line}\n")
