"""The Java test server's classes as one run has loaded them, so that each later start is short.

Every workflow test starts a server of its own, and most of a start is the loading of classes.
"""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from tests.support.ports import free_port

VARIABLE = "OXBOT_CLASS_ARCHIVE"
"""Java's option about the archive, in the place of the launcher's own."""

RUN_WITHIN_S = 60


def make(server: Path) -> None:
    """Keep the classes of a server that has its launcher and its jars in this directory.

    The archive names the jars by their paths, so they must be where they will stay. Java does
    without an archive where there is none, or one of another Java.
    """
    if not (server / "jars").exists():
        return
    fresh = server / "classes.new"
    _run_once(server / "start", f"-XX:ArchiveClassesAtExit={fresh}")
    if fresh.exists():
        fresh.rename(server / "classes")


def _run_once(launcher: Path, option: str) -> None:
    """Start a server, and end it in good order once it listens."""
    port = free_port()
    with subprocess.Popen(
        [str(launcher), str(port)],
        env={**os.environ, VARIABLE: option},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        until = time.monotonic() + RUN_WITHIN_S
        while process.poll() is None and not _listens(port) and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
