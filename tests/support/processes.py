"""Processes of a test's making, killed."""

from collections.abc import Iterable
from contextlib import suppress

import psutil


def kill_all(processes: Iterable[psutil.Process]) -> None:
    """SIGKILL for each; one may be gone by itself, since its parent has just been killed."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
