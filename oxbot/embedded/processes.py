"""Processes by identity: a pid alone may have passed to somebody else."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Identity:
    """A process that cannot be mistaken for a later one with the same pid.

    Args:
        pid: Process id.
        started: Marks its start; see `_start_mark`.
    """

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> "Identity":
        """Identity of a process that lives now.

        Raises:
            psutil.NoSuchProcess: It has ended already.
        """
        return cls(pid, _start_mark(pid))

    @classmethod
    def read(cls, record: Mapping[str, object]) -> "Identity | None":
        """From a file's record; None when it is incomplete."""
        pid, started = record.get("pid"), record.get("started")
        return cls(pid, started) if isinstance(pid, int) and isinstance(started, str) else None

    def record(self) -> dict[str, object]:
        """As written to a file."""
        return {"pid": self.pid, "started": self.started}

    def process(self) -> psutil.Process | None:
        """The process while it runs; a zombie has ended."""
        try:
            process = psutil.Process(self.pid)
            same = _start_mark(self.pid) == self.started
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


def _start_mark(pid: int) -> str:
    """When a process started, in a form that a change of the clock leaves alone.

    On Linux the boot's id and the clock ticks since then (/proc/PID/stat, field 22); the
    time of day would move whenever the machine's clock is set.
    """
    if sys.platform != "linux":
        return str(psutil.Process(pid).create_time())
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        raise psutil.NoSuchProcess(pid) from None
    ticks = fields.rpartition(")")[2].split()[19]
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot} {ticks}"


def descendants(pid: int) -> list[psutil.Process]:
    """Children and children's children; PostgreSQL's leave their parent's process group."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def signal_group(pid: int, number: signal.Signals) -> None:
    """Signal the process group that `pid` leads; one that has gone is left in peace."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)


def kill(family: Iterable[psutil.Process]) -> None:
    """SIGKILL to whoever of them still lives; psutil makes sure that it is the same process."""
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def end_processes(
    processes: Iterable[psutil.Process], number: signal.Signals, grace_s: float
) -> None:
    """Ask with a signal, wait at most `grace_s` seconds, then kill who stayed."""
    asked = list(processes)
    for process in asked:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)
    _, stayed = psutil.wait_procs(asked, timeout=grace_s)
    kill(stayed)
    psutil.wait_procs(stayed, timeout=1)
