"""What a supervisor that was killed may have left running.

Children end by themselves when their supervisor does (see `tether`); this is for those that
need long for it, or hang. Each start is recorded, and the next supervisor ends who remains.
"""

import asyncio
import signal

import psutil

from oxbot.embedded.paths import DataDirectory, read_json_object, write_private_json
from oxbot.embedded.processes import Identity, end_processes

GRACE_S = 4.0
"""Seconds that leftovers have before SIGKILL; they were told to end when their starter did."""


class Records:
    """The file of the children that run now; only the holder of the lock touches it."""

    def __init__(self, data: DataDirectory) -> None:
        self._data = data
        self._children: dict[str, Identity] = {}

    def started(self, name: str, pid: int) -> None:
        """Record a child; one that ended in the same moment needs none."""
        try:
            self._children[name] = Identity.of(pid)
        except psutil.NoSuchProcess:
            self._children.pop(name, None)
        self._write()

    def ended(self, name: str) -> None:
        """Forget a child."""
        self._children.pop(name, None)
        self._write()

    def _write(self) -> None:
        content = {name: child.record() for name, child in self._children.items()}
        write_private_json(self._data.children, content)

    def left(self) -> dict[str, psutil.Process]:
        """Recorded processes that still run, by name."""
        found: dict[str, psutil.Process] = {}
        for name, record in read_json_object(self._data.children).items():
            child = Identity.read(record) if isinstance(record, dict) else None
            if child and (process := child.process()):
                found[name] = process
        return found


async def end_leftovers(records: Records) -> list[str]:
    """End what an earlier supervisor left running.

    Returns:
        The names of what was still there.
    """
    left = records.left()
    families = [p for process in left.values() for p in (process, *_children(process))]
    await asyncio.to_thread(end_processes, families, signal.SIGTERM, GRACE_S)
    return list(left)


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []
