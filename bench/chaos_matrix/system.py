"""A system of real servers, a simulated OKX and workers, each of which can be killed."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final, TypeVar

import aiohttp
import psutil
from asyncpg import PostgresError  # type: ignore[import-untyped]
from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from chaos_matrix.points import Spec, Step
from chaos_matrix.zygote import Worker, Zygote, open_zygote
from oxbot.adapters.postgres.engine import open_engine
from oxbot.adapters.temporal.client import connect
from oxbot.adapters.temporal.control import TemporalBotControl
from oxbot.adapters.venue_control import VenueControl
from oxbot.app.bots import Desk
from oxbot.app.replay import patiently
from oxbot.bootstrap import open_desk
from oxbot.domain.errors import StoreUnavailable
from oxbot.embedded import servers
from oxbot.embedded.addresses import Addresses
from oxbot.embedded.apps import SIMULATOR, Apps, SimulatorOptions
from oxbot.embedded.leftovers import Records
from oxbot.embedded.paths import DataDirectory, files_in
from oxbot.embedded.servers import ServerStarter, own_data_directory, supervised
from oxbot.embedded.supervisor import together
from oxbot.settings import Settings

T = TypeVar("T")

RATE: Final = 5
"""Venue seconds in a second: a signature holds for six of them, a fence for ten."""

WATCH: Final = "watch"
"""Task queue of the market watch, and name of its worker."""

KEY: Final = "chaos"
"""The account of all live bots at the simulator, and its first API key."""

KEYS: Final = tuple(f"{KEY}-{number}" for number in range(100))
"""Its other keys: one for each bot that runs, so that faults can be meant for one of them."""

BALANCES: Final = {"USDT": "100000000", "BTC": "5", "SOL": "1000"}
"""More than all bots have, so that whoever sells too much finds something to sell."""

SERVERS: Final = (*servers.NAMES, SIMULATOR)
"""What can be killed besides workers; what was killed is started again."""


@dataclass
class System:
    """All of it.

    Args:
        settings: With all addresses.
        data: Its directory.
        addresses: Where everything is.
        zygote: Forks workers.
        mutant: What is broken in all workers.
    """

    settings: Settings
    data: DataDirectory
    addresses: Addresses
    zygote: Zygote
    desk: Desk
    venue: VenueControl
    client: Client
    engine: AsyncEngine
    http: aiohttp.ClientSession
    mutant: str = ""
    watch: Worker | None = field(default=None)
    _watches: int = 0

    def desk_of(self, queue: str) -> Desk:
        """Give a desk whose bots run on a task queue of their own."""
        return replace(self.desk, control=TemporalBotControl(self.client, queue))

    def spec(self, name: str, queue: str, key: str = KEY, **more: object) -> Spec:
        """Give what a worker of a task queue is started with; `key` is what it trades with."""
        return Spec.model_validate(
            {
                "name": name,
                "log": str(self.data.logs / f"worker-{queue}.log"),
                "mutant": self.mutant,
                "environment": {
                    **self.addresses.as_environment(),
                    "TEMPORAL_NAMESPACE": self.settings.temporal_namespace,
                    "OXBOT_HOME": str(self.data.root),
                    "OXBOT_SIMULATOR_URL": self.addresses.simulator or "",
                    "OXBOT_TASK_QUEUE": queue,
                    "OXBOT_LOG_LEVEL": "warning",
                    **account_environment(key),
                },
                **more,
            }
        )

    async def start_watch(self, marks: str = "", steps: tuple[Step, ...] = ()) -> None:
        """Start the worker of the market watch; one that runs is killed."""
        if self.watch is not None:
            await self.watch.kill()
        self._watches += 1
        name = f"{WATCH}-{self._watches}"
        self.watch = await self.zygote.fork(self.spec(name, WATCH, marks=marks, steps=steps))

    def end_watch(self) -> None:
        """Ask the worker of the market watch to end."""
        if self.watch is not None:
            self.watch.send(signal.SIGTERM)

    def server(self, name: str) -> psutil.Process | None:
        """Give the process of a server; None while it has none."""
        found: psutil.Process | None = Records(self.data).left().get(name)
        return found

    def kill(self, name: str) -> psutil.Process | None:
        """SIGKILL a server, which its supervisor starts again; give what was killed."""
        found = self.server(name)
        if found is not None:
            found.send_signal(signal.SIGKILL)
        return found

    async def read(self, asked: Callable[[AsyncEngine], Awaitable[T]]) -> T:
        """Read from the record, again until PostgreSQL answers."""

        async def answered() -> T:
            try:
                return await asked(self.engine)
            except (OSError, SQLAlchemyError, PostgresError) as error:
                raise StoreUnavailable(f"No answer: {type(error).__name__}.") from error

        return await patiently(answered)

    async def ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """Ask the simulator's control side, again until it answers."""
        while True:
            try:
                async with self.http.request(method, f"/control/{path}", json=body) as answer:
                    return await answer.json()
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(0.2)

    async def now_ms(self) -> int:
        """Read the venue's time, in ms."""
        return int((await self.ask("GET", "clock"))["venue_ms"])


@asynccontextmanager
async def open_system(settings: Settings, seed: int, mutant: str = "") -> AsyncIterator[System]:
    """Start it, and end all of it.

    Args:
        settings: Its directory and ports.
        seed: Of the generated market.
        mutant: What is broken in its workers.
    """
    async with AsyncExitStack() as stack:
        data = stack.enter_context(own_data_directory(settings))
        supervisor = await stack.enter_async_context(supervised(data, lambda _: None))
        port = settings.simulator_port
        addresses = replace(
            servers.addresses_of(settings, data.socket_directory()),
            simulator=f"http://127.0.0.1:{port}",
        )
        apps = Apps(settings, data, {**addresses.as_environment(), "OXBOT_HOME": str(data.root)})
        options = SimulatorOptions(
            seed=seed, mode="speed", speed=str(RATE), rate_limits=False, quick=True
        )
        with files_in(data.root):
            await together(
                ServerStarter(settings, data, supervisor, lambda _: None, quick=True).start(),
                supervisor.start(apps.simulator(options)),
            )
        await apps.migrate()
        found = _found(settings, addresses)
        zygote = await stack.enter_async_context(open_zygote(data.logs / "zygote.log"))
        http = aiohttp.ClientSession(addresses.simulator, timeout=aiohttp.ClientTimeout(total=10))
        stack.push_async_callback(http.close)
        engine = open_engine(addresses.database_url, pool_size=4)
        stack.push_async_callback(engine.dispose)
        system = System(
            settings=found,
            data=data,
            addresses=addresses,
            zygote=zygote,
            desk=await stack.enter_async_context(open_desk(found)),
            venue=await stack.enter_async_context(VenueControl(addresses.simulator or "")),
            client=await connect(addresses.temporal, found.temporal_namespace, lazy=True),
            engine=engine,
            http=http,
            mutant=mutant,
        )
        await system.ask("POST", "accounts", account())
        await system.start_watch()
        yield system


def account() -> dict[str, object]:
    """Give the account of all live bots, as the simulator takes it."""
    secrets = {"secret": f"secret of {KEY}", "passphrase": f"passphrase of {KEY}"}
    return {"key": KEY, "more_keys": KEYS, **secrets, "balances": BALANCES}


def account_environment(key: str) -> dict[str, str]:
    """Give the settings by which a worker trades in that account."""
    return {
        "OXBOT_LIVE": "accepted",
        "OKX_API_KEY": key,
        "OKX_SECRET_KEY": f"secret of {KEY}",
        "OKX_PASSPHRASE": f"passphrase of {KEY}",
    }


def _found(settings: Settings, addresses: Addresses) -> Settings:
    return settings.model_copy(
        update={
            "database_url": addresses.database_url,
            "redis_url": addresses.redis_url,
            "temporal_address": addresses.temporal,
            "simulator_url": addresses.simulator,
            "live": "accepted",
            "okx_api_key": SecretStr(KEY),
            "okx_secret_key": SecretStr(f"secret of {KEY}"),
            "okx_passphrase": SecretStr(f"passphrase of {KEY}"),
        }
    )


def scaled(real_s: float) -> int:
    """Give so many seconds of this machine in venue ms."""
    return int(Decimal(real_s) * 1000 * RATE)
