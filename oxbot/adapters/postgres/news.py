"""Word of positions that change, by PostgreSQL's own notifications."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, Final

from oxbot.adapters.postgres.engine import begin, open_engine
from oxbot.domain.errors import StoreUnavailable
from oxbot.ports.protection import PositionKey

CHANNEL: Final = "oxbot_positions"
"""What the trigger on table `positions` notifies, with "bot symbol" as payload."""


class PostgresNews:
    """Implements PositionNews on a connection of its own, which is open while somebody listens.

    Args:
        database_url: postgresql://...
    """

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url

    async def changes(self) -> AsyncGenerator[list[PositionKey], None]:
        """Listen, and give what has changed; an empty batch first, once it listens.

        Raises:
            StoreUnavailable: The connection is lost or refused.
        """
        engine = open_engine(self._database_url, pool_size=1)
        heard: asyncio.Queue[str | None] = asyncio.Queue()
        try:
            async with begin(engine.execution_options(isolation_level="AUTOCOMMIT")) as connection:
                own = _asyncpg((await connection.get_raw_connection()).driver_connection)
                own.add_termination_listener(lambda *_: heard.put_nowait(None))
                await own.add_listener(CHANNEL, lambda *told: heard.put_nowait(told[-1]))
                yield []
                while True:
                    yield await _batch(heard)
        finally:
            await engine.dispose()


def _asyncpg(connection: Any) -> Any:  # noqa: ANN401 - asyncpg has no types
    """Give asyncpg's own connection, which SQLAlchemy keeps under its own."""
    return connection


async def _batch(heard: "asyncio.Queue[str | None]") -> list[PositionKey]:
    """Wait for word, and take with it what has come meanwhile, each position once."""
    told = [await heard.get()]
    while not heard.empty():
        told.append(heard.get_nowait())
    if None in told:
        raise StoreUnavailable("The connection on which PostgreSQL tells of positions is lost.")
    pairs = (payload.partition(" ") for payload in told if payload)
    return list(dict.fromkeys((bot_id, symbol) for bot_id, _, symbol in pairs))
