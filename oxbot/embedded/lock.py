"""One system for one data directory: a lock that the kernel lets go when its holder ends."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime

from oxbot.domain.errors import SetupError
from oxbot.embedded.paths import DataDirectory, files_in, read_json_object


@contextlib.contextmanager
def exclusive(data: DataDirectory) -> Iterator[None]:
    """Hold the data directory.

    Raises:
        SetupError: Another process holds it, or its file system cannot lock.
    """
    with files_in(data.root):
        handle = os.open(data.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        with files_in(data.root):
            taken = try_lock(handle)
            if taken:
                _sign(handle)
        if not taken:
            raise SetupError(_who_holds(data))
        yield
    finally:
        os.close(handle)


def try_lock(handle: int) -> bool:
    """Take the lock of an open file; False when another process has it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sign(handle: int) -> None:
    """Write into the lock's file who holds it, for whoever comes second."""
    since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    os.ftruncate(handle, 0)
    os.pwrite(handle, json.dumps({"pid": os.getpid(), "since": since}).encode(), 0)


def _who_holds(data: DataDirectory) -> str:
    holder = read_json_object(data.lock)
    pid, since = holder.get("pid", "?"), holder.get("since", "?")
    return (
        f"0xBot already runs on {data.root} (process {pid}, since {since}). "
        f"Use that one, or stop it with `kill {pid}`, "
        f"or give this one a directory of its own with OXBOT_HOME."
    )
