"""The three servers: those that the environment names, and embedded ones for the rest."""

from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from oxbot.embedded import logs, ports, postgres, reach, redis, temporal, temporal_binary
from oxbot.embedded.addresses import Addresses
from oxbot.embedded.leftovers import Records, end_leftovers
from oxbot.embedded.lock import exclusive
from oxbot.embedded.paths import DataDirectory, files_in
from oxbot.embedded.ports import Wanted
from oxbot.embedded.postgres import Postgres
from oxbot.embedded.redis import Redis
from oxbot.embedded.supervisor import Supervisor, together
from oxbot.embedded.temporal import Temporal
from oxbot.settings import Settings

Announce = Callable[[str], None]
"""Receives one line for people."""

NAMES = (temporal.NAME, redis.NAME, postgres.NAME)
"""The servers."""


def wanted_ports(settings: Settings) -> list[Wanted]:
    """The TCP ports that the embedded servers need: Temporal's only."""
    if settings.temporal_address:
        return []
    web, host = "Temporal's Web UI", temporal.HOST
    return [
        Wanted("Temporal", host, settings.temporal_port, "OXBOT_TEMPORAL_PORT"),
        Wanted(web, host, settings.temporal_ui_port, "OXBOT_TEMPORAL_UI_PORT"),
    ]


def addresses_of(settings: Settings, sockets: Path) -> Addresses:
    """Where everything is by these settings: the given addresses, else the embedded ones."""
    embedded_ui = None
    if not settings.temporal_address:
        embedded_ui = f"http://{temporal.HOST}:{settings.temporal_ui_port}"
    return Addresses(
        temporal=settings.temporal_address or f"{temporal.HOST}:{settings.temporal_port}",
        temporal_ui=embedded_ui or settings.temporal_ui_url,
        database_url=settings.database_url or postgres.url(sockets),
        redis_url=settings.redis_url or redis.url(sockets),
        api=f"http://{settings.api_host}:{settings.api_port}",
        simulator=settings.simulator_url,
    )


@contextmanager
def own_data_directory(settings: Settings) -> Iterator[DataDirectory]:
    """Make the data directory and hold it for this process.

    Raises:
        SetupError: It cannot be written, its disk is full, or another process holds it.
    """
    data = DataDirectory.of(settings.home)
    data.make()
    with exclusive(data):
        yield data


@asynccontextmanager
async def supervised(data: DataDirectory, announce: Announce) -> AsyncIterator[Supervisor]:
    """A supervisor on a data directory that this process holds; stops all at the end."""
    records = Records(data)
    with files_in(data.root):
        for name in await end_leftovers(records):
            announce(f"{name} was left running by an earlier start, and was ended")
        logs.rotate(data.logs)
    supervisor = Supervisor(records, announce)
    try:
        yield supervisor
    finally:
        await supervisor.stop_all()


@asynccontextmanager
async def embedded_servers(
    settings: Settings,
    announce: Announce,
    names: Collection[str] = NAMES,
    *,
    quick: bool = False,
) -> AsyncIterator[Addresses]:
    """The servers alone, for as long as the block runs: what tests and tools need.

    Args:
        settings: Which addresses are given, which ports and directory to use.
        announce: Receives a line about whatever happens to them.
        names: Only these, of NAMES.
        quick: See `ServerStarter`.

    Raises:
        SetupError: One does not come up.
    """
    with own_data_directory(settings) as data:
        async with supervised(data, announce) as supervisor:
            ports.check_free(wanted_ports(settings) if temporal.NAME in names else [])
            await ServerStarter(settings, data, supervisor, announce, quick).start(names)
            yield addresses_of(settings, data.socket_directory())


@dataclass(frozen=True)
class ServerStarter:
    """Starts the servers that the environment does not name, and looks for those it does.

    Args:
        settings: Which addresses are given, which ports are wanted.
        data: The data directory, held by this process.
        supervisor: Keeps the servers from then on.
        announce: Receives lines about what takes long.
        quick: PostgreSQL and Temporal do not wait for the disk; a killed process still loses
            nothing, but a crash of the machine may.
    """

    settings: Settings
    data: DataDirectory
    supervisor: Supervisor
    announce: Announce
    quick: bool = False

    async def start(self, names: Collection[str] = NAMES) -> None:
        """Start them at the same time; all are ready to be used when this returns.

        Raises:
            SetupError: One does not come up, or a given one does not answer.
        """
        steps = {
            temporal.NAME: self._temporal,
            redis.NAME: self._redis,
            postgres.NAME: self._postgres,
        }
        with files_in(self.data.root):
            sockets = self.data.socket_directory()
            await together(*(steps[name](sockets) for name in names))

    async def _temporal(self, _sockets: Path) -> None:
        settings = self.settings
        if settings.temporal_address:
            address = f"temporal://{settings.temporal_address}"
            return await reach.check_given("TEMPORAL_ADDRESS", address)
        binary = await temporal_binary.obtain(self.announce)
        two_ports = (settings.temporal_port, settings.temporal_ui_port)
        namespace = settings.temporal_namespace
        server = Temporal(self.data, binary, namespace, *two_ports, quick=self.quick)
        return await self.supervisor.start(server.program())

    async def _redis(self, sockets: Path) -> None:
        if self.settings.redis_url:
            return await reach.check_given("REDIS_URL", self.settings.redis_url)
        return await self.supervisor.start(Redis.found(self.data, sockets).program())

    async def _postgres(self, sockets: Path) -> None:
        if self.settings.database_url:
            return await reach.check_given("DATABASE_URL", self.settings.database_url)
        server = Postgres.found(self.data, sockets, quick=self.quick)
        return await self.supervisor.start(server.program())
