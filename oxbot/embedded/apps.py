"""0xBot's own processes: simulator, model server, worker, API, and the migrations before."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from oxbot.domain.errors import SetupError
from oxbot.embedded import reach
from oxbot.embedded.child import Program, run_to_end
from oxbot.embedded.paths import DataDirectory
from oxbot.embedded.ports import Wanted
from oxbot.embedded.secret import api_secret
from oxbot.settings import Settings

PYTHON = (sys.executable, "-P", "-m")
"""Runs a module of this installation; -P keeps the working directory's packages out."""

LOOPBACK = "127.0.0.1"
ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - compared, not bound

WORKER, API, SIMULATOR, MODEL_SERVER = "worker", "api", "simulator", "model-server"
"""Names of the programs and their logs."""


@dataclass(frozen=True)
class SimulatorOptions:
    """What the simulator is started with; None leaves its own default.

    Args:
        candles: Folder of candle files; None: the generated market.
        timeframe: The files' candle length.
        seed: Seed of the generated market.
        start: Where the clock starts, ISO 8601.
        mode: speed or stepped.
        speed: Venue seconds in a second.
        rate_limits: Whether clients that ask too often are refused.
        faults: File of fault rules to begin with.
        quick: Do not wait for the disk: for data that can be made again.
    """

    candles: Path | None = None
    timeframe: str | None = None
    seed: int | None = None
    start: str | None = None
    mode: str | None = None
    speed: str | None = None
    rate_limits: bool | None = None
    faults: Path | None = None
    quick: bool = False

    def arguments(self) -> list[str]:
        """As the simulator's command line has them."""
        valued = {
            "--candles": self.candles,
            "--timeframe": self.timeframe,
            "--seed": self.seed,
            "--start": self.start,
            "--mode": self.mode,
            "--speed": self.speed,
            "--faults": self.faults,
        }
        given = [(name, str(value)) for name, value in valued.items() if value is not None]
        switches = {None: [], True: ["--rate-limits"], False: ["--no-rate-limits"]}
        quick = ["--quick"] if self.quick else []
        return [*(part for pair in given for part in pair), *switches[self.rate_limits], *quick]


@dataclass(frozen=True)
class Apps:
    """How the processes are run.

    Args:
        settings: Ports and hosts.
        data: The data directory, for logs and the simulator's clock.
        environment: By which they join the system.
    """

    settings: Settings
    data: DataDirectory
    environment: Mapping[str, str]

    def simulator(self, options: SimulatorOptions) -> Program:
        """The simulated OKX; its clock goes on where it stopped."""
        port = self.settings.simulator_port

        async def ready() -> bool:
            return await reach.listens(LOOPBACK, port)

        state = self.data.root / "simulator.json"
        command = (
            *(*PYTHON, "oxbot.simulator", "--port", str(port), "--state", str(state)),
            *options.arguments(),
        )
        return Program(SIMULATOR, command, self.data.log(SIMULATOR), self.environment, ready=ready)

    def model_server(self) -> Program:
        """What speaks like model providers."""
        port = self.settings.model_server_port

        async def ready() -> bool:
            return await reach.listens(LOOPBACK, port)

        command = (*PYTHON, "oxbot.model_server", "--port", str(port))
        log = self.data.log(MODEL_SERVER)
        return Program(MODEL_SERVER, command, log, self.environment, ready=ready)

    def worker(self) -> Program:
        """The worker; it drains after SIGTERM."""
        return Program(
            name=WORKER,
            command=(*PYTHON, "worker"),
            log=self.data.log(WORKER),
            environment=self.environment,
            grace_s=8,
        )

    def api(self) -> Program:
        """The API."""
        host, port = self.settings.api_host, self.settings.api_port

        async def ready() -> bool:
            return await reach.listens(LOOPBACK if host in ANY_ADDRESS else host, port)

        log = self.data.log(API)
        secret = self.settings.api_secret.get_secret_value() or api_secret(self.data)
        environment = {**self.environment, "OXBOT_API_SECRET": secret}
        return Program(API, (*PYTHON, "api"), log, environment, ready=ready)

    async def migrate(self) -> None:
        """Bring the database to this version's schema.

        Raises:
            SetupError: It cannot be, for instance since a newer version wrote it.
        """
        command = (*PYTHON, "infra.migrations")
        code, said = await run_to_end(command, environment=self.environment)
        self.data.log("migrations").write_text(said, encoding="utf-8")
        if code != 0:
            lines = said.strip().splitlines()
            raise SetupError(
                lines[-1] if lines else f"The database was not migrated (exit code {code})."
            )


def wanted_ports(
    settings: Settings, *, with_simulator: bool, with_model_server: bool = False
) -> list[Wanted]:
    """The TCP ports that the processes need."""
    wanted = [Wanted("the API", settings.api_host, settings.api_port, "OXBOT_API_PORT")]
    if with_simulator:
        port = settings.simulator_port
        wanted.append(Wanted("the simulator", LOOPBACK, port, "OXBOT_SIMULATOR_PORT"))
    if with_model_server:
        port = settings.model_server_port
        wanted.append(Wanted("the model server", LOOPBACK, port, "OXBOT_MODEL_SERVER_PORT"))
    return wanted
