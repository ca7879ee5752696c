"""Ports for the servers of tests that run side by side."""

import fcntl
import itertools
import os
import socket
import tempfile
from functools import cache
from pathlib import Path
from typing import BinaryIO

RANGE = range(20_000, 32_000)
"""Below the ports that a system hands out by itself, so that no connection gets one of them."""

_numbers = itertools.cycle(RANGE)


def free_port() -> int:
    """A port at which nobody listens, and which no other test run takes as long as this one lives.

    Another process that asks for a port may come between the look and the use of it, so each
    is locked besides: as a byte of a file that all test runs of this user share.
    """
    return next(port for port in _numbers if _reserve(port) and _is_free(port))


def free_ports(count: int) -> list[int]:
    """So many of them."""
    return [free_port() for _ in range(count)]


def _reserve(port: int) -> bool:
    """Lock the port's byte; the kernel unlocks it when this process ends."""
    try:
        fcntl.lockf(_locks(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except (BlockingIOError, PermissionError):
        return False
    return True


@cache
def _locks() -> BinaryIO:
    """The file, open until the end: closing it would let go of every lock."""
    return (Path(tempfile.gettempdir()) / f"oxbot-test-ports-{os.getuid()}").open("ab")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True
