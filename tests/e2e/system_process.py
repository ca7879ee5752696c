"""`oxbot up` as a process, seen from outside as a person sees it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.support.ports import free_ports

OXBOT = (sys.executable, "-m", "oxbot")
"""The command line, of this installation."""

POLL_S = 0.05
"""Between two looks at another process, in seconds; the test's time limit is the limit."""

PARTS = ("temporal", "postgres", "redis", "simulator", "worker", "api")
"""Every program of a system."""

PORTS = (
    "OXBOT_TEMPORAL_PORT",
    "OXBOT_TEMPORAL_UI_PORT",
    "OXBOT_API_PORT",
    "OXBOT_SIMULATOR_PORT",
    "OXBOT_MODEL_SERVER_PORT",
)


def wait_until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(POLL_S)


def alive(process: psutil.Process) -> bool:
    """A zombie has ended."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@dataclass
class Machine:
    """A data directory and ports of a test's own, and what runs there."""

    root: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None

    @classmethod
    def clean(cls, root: Path) -> "Machine":
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("OXBOT_")
            and name not in ("TEMPORAL_ADDRESS", "DATABASE_URL", "REDIS_URL")
        }
        ports = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
        return cls(root, {**inherited, **ports, "OXBOT_HOME": str(root / "home")})

    @property
    def home(self) -> Path:
        return Path(self.environment["OXBOT_HOME"])

    @property
    def output(self) -> str:
        path = self.root / "up.out"
        return path.read_text() if path.exists() else ""

    @property
    def supervisor(self) -> psutil.Process:
        assert self.process is not None
        return psutil.Process(self.process.pid)

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """One command, to its end."""
        return subprocess.run(
            [*OXBOT, *arguments],
            env=self.environment,
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self) -> None:
        """`oxbot up --simulator`, until it says that it runs; its output begins anew."""
        with (self.root / "up.out").open("wb") as output:
            self.process = subprocess.Popen(
                [*OXBOT, "up", "--simulator"],
                env=self.environment,
                cwd=self.root,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.wait_for("0xBot runs")

    def wait_for(self, words: str) -> None:
        """Wait until it has said these words."""
        wait_until(lambda: words in self.output or self.ended)
        assert words in self.output, self.output

    @property
    def ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def leftovers(self) -> list[psutil.Process]:
        """Whatever still runs on the data directory, whoever its parent is by now."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            told = [*process.cmdline(), process.environ().get("OXBOT_HOME", "")]
        except psutil.Error:  # it has just ended, or is somebody else's
            return False
        return any(str(self.home) in words for words in told)

    def family(self) -> list[psutil.Process]:
        """Everything that the system runs, now."""
        return self.supervisor.children(recursive=True)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop and wait; its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait()
