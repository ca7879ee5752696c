"""The whole system on one machine: servers, migrations, simulator, worker and API."""

import asyncio
import contextlib
import signal
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from oxbot.domain.errors import SetupError
from oxbot.embedded import apps, ports, reach, servers
from oxbot.embedded.addresses import Addresses, published
from oxbot.embedded.apps import Apps, SimulatorOptions
from oxbot.embedded.paths import DataDirectory, files_in
from oxbot.embedded.servers import Announce, ServerStarter, own_data_directory, supervised
from oxbot.embedded.supervisor import Supervisor, first_failure, together
from oxbot.settings import Settings

Body = Callable[[Addresses], Awaitable[None]]
"""What is done while the system runs; the system stops when it returns."""

TRIM_EVERY_S = 600.0
"""Between two looks at how large the logs are, in seconds."""

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a service manager, a terminal that was closed."""


@dataclass
class _Stop:
    """How far the end of a system is.

    Args:
        begun: The system is being stopped, for whatever reason.
        asked: A signal asked for it.
        hurry: A second signal came.
    """

    begun: bool = False
    asked: bool = False
    hurry: asyncio.Event = field(default_factory=asyncio.Event)


async def run_system(  # noqa: PLR0913 - each part of a system is a choice of its own
    settings: Settings,
    body: Body,
    *,
    announce: Announce,
    simulator: SimulatorOptions | None = None,
    model_server: bool = False,
    environment: Mapping[str, str] | None = None,
    quick: bool = False,
) -> None:
    """Run everything until `body` returns or SIGINT, SIGTERM or SIGHUP comes.

    Whatever the end, it returns or raises with no process left; at most 15 s after it was
    asked to stop, sooner after a second signal. A signal cancels `body`.

    Args:
        settings: Addresses, ports, data directory.
        body: Awaited with the addresses when everything is ready.
        announce: Receives one line whenever something happens to a part.
        simulator: Start the simulated OKX; None: the exchange of the settings.
        model_server: Start what speaks like model providers, too.
        environment: Added to the processes' own.
        quick: See `ServerStarter`: for data that can be made again.

    Raises:
        SetupError: It cannot start, or a part cannot be kept alive.
    """
    stop = _Stop()
    system = _System(settings, announce, simulator, model_server, environment or {}, stop, quick)
    task = asyncio.create_task(system.run(body))
    with _signals(task, stop):
        try:
            await task
        except asyncio.CancelledError:
            if not stop.asked:
                raise


async def until_stopped(_addresses: Addresses) -> None:
    """A body that leaves the end to a signal."""
    await asyncio.get_running_loop().create_future()


@contextlib.contextmanager
def _signals(task: asyncio.Task[None], stop: _Stop) -> Iterator[None]:
    """The first signal stops the system, a second one hurries."""

    def receive() -> None:
        if stop.begun:
            stop.hurry.set()
            return
        stop.begun = stop.asked = True
        task.cancel()

    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, receive)
    try:
        yield
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)


@dataclass(frozen=True)
class _System:
    """One run; see `run_system`."""

    settings: Settings
    tell: Announce
    simulator: SimulatorOptions | None
    model_server: bool
    environment: Mapping[str, str]
    stop: _Stop
    quick: bool
    session: str = field(default_factory=lambda: str(uuid.uuid4()))

    async def run(self, body: Body) -> None:
        """Start, work, stop."""
        with own_data_directory(self.settings) as data:
            try:
                await self._run_on(data, body, _kept(data, self.tell))
            except SetupError as error:
                _note(data, str(error))
                raise
            finally:
                if self.stop.asked:
                    _kept(data, self.tell)("Stopped; the next start goes on from here")

    async def _run_on(self, data: DataDirectory, body: Body, announce: Announce) -> None:
        """Run on a data directory that is ours."""
        async with supervised(data, announce) as supervisor:
            try:
                with files_in(data.root):
                    addresses = await self._start(data, supervisor, announce)
                with published(data, addresses, self.session):
                    await self._work(body, addresses, supervisor)
            finally:
                self.stop.begun = True
                if self.stop.asked:
                    announce("Stopping (Ctrl-C hurries)")
                await self._stop_apps(supervisor)

    async def _start(
        self, data: DataDirectory, supervisor: Supervisor, announce: Announce
    ) -> Addresses:
        """Servers and simulator first, then the schema, then what needs them."""
        with_simulator = self.simulator is not None
        app_ports = apps.wanted_ports(
            self.settings, with_simulator=with_simulator, with_model_server=self.model_server
        )
        ports.check_free(servers.wanted_ports(self.settings) + app_ports)
        addresses = self._addresses(data)
        processes = Apps(self.settings, data, self._environment(data, addresses))
        announce(f"Starting on {data.root}")
        await together(
            ServerStarter(self.settings, data, supervisor, announce, self.quick).start(),
            self._exchange(supervisor, processes),
            *([supervisor.start(processes.model_server())] if self.model_server else []),
        )
        await processes.migrate()
        await together(supervisor.start(processes.worker()), supervisor.start(processes.api()))
        return addresses

    def _addresses(self, data: DataDirectory) -> Addresses:
        addresses = servers.addresses_of(self.settings, data.socket_directory())
        if self.simulator is None:
            return addresses
        port = self.settings.simulator_port
        return replace(addresses, simulator=f"http://{apps.LOOPBACK}:{port}")

    def _environment(self, data: DataDirectory, addresses: Addresses) -> dict[str, str]:
        """What every process is told: these settings, wherever they came from."""
        return {
            **addresses.as_environment(),
            "TEMPORAL_NAMESPACE": self.settings.temporal_namespace,
            "OXBOT_HOME": str(data.root),
            "OXBOT_TASK_QUEUE": self.settings.task_queue,
            "OXBOT_API_HOST": self.settings.api_host,
            "OXBOT_API_PORT": str(self.settings.api_port),
            "OXBOT_SESSION": self.session,
            **self.environment,
        }

    async def _exchange(self, supervisor: Supervisor, processes: Apps) -> None:
        """Start the simulator, or make sure that the exchange of the settings answers."""
        if self.simulator is not None:
            return await supervisor.start(processes.simulator(self.simulator))
        simulated = self.settings.simulator_url
        problem = await reach.exchange_problem(simulated or self.settings.okx_address)
        if problem is None:
            return None
        if simulated:
            raise SetupError(
                f"OXBOT_SIMULATOR_URL is set, and no simulator answers there ({problem}). "
                f"Start it with `oxbot simulator`, or unset it."
            )
        raise SetupError(
            f"OKX does not answer ({problem}), so there would be no prices. Check the network "
            f"or OXBOT_OKX_REST_URL, or trade on a simulated OKX with `oxbot up --simulator`."
        )

    async def _work(self, body: Body, addresses: Addresses, supervisor: Supervisor) -> None:
        """Do the body while the parts are kept alive."""
        with first_failure():
            async with asyncio.TaskGroup() as group:
                watches = [
                    group.create_task(supervisor.until_given_up()),
                    group.create_task(_trim_logs(supervisor)),
                ]
                await body(addresses)
                for watch in watches:
                    watch.cancel()

    async def _stop_apps(self, supervisor: Supervisor) -> None:
        """The worker first, while everything that it drains to is still there."""
        for names in ([apps.WORKER], [apps.API, apps.SIMULATOR, apps.MODEL_SERVER]):
            await supervisor.stop(names, self.stop.hurry)


async def _trim_logs(supervisor: Supervisor) -> None:
    while True:
        await asyncio.sleep(TRIM_EVERY_S)
        supervisor.trim_logs()


def _kept(data: DataDirectory, tell: Announce) -> Announce:
    """Announce, and keep each line in system.log."""

    def announce(line: str) -> None:
        _note(data, line)
        # A closed terminal must not keep the system from going on or stopping.
        with contextlib.suppress(OSError):
            tell(line)

    return announce


def _note(data: DataDirectory, line: str) -> None:
    """Keep a line with its time (UTC); a full disk must not keep the system from stopping."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    with contextlib.suppress(OSError), data.log("system").open("a", encoding="utf-8") as log:
        log.write(f"{now} {line}\n")
