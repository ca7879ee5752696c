"""TCP ports: free or not, and who is in the way."""

import errno
import socket
from dataclasses import dataclass

import psutil

from oxbot.domain.errors import SetupError


@dataclass(frozen=True)
class Wanted:
    """A port that a part of the system will listen on.

    Args:
        purpose: What listens there, for people.
        host: Address to bind.
        port: TCP port.
        variable: The environment variable that moves it.
    """

    purpose: str
    host: str
    port: int
    variable: str


def problem(wanted: Wanted) -> str | None:
    """Why the port cannot be had, as a sentence; None when it is free."""
    family = socket.AF_INET6 if ":" in wanted.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((wanted.host, wanted.port))
            probe.listen(1)
        except OSError as error:
            return _sentence(wanted, error)
    return None


def check_free(wanted: list[Wanted]) -> None:
    """Make sure that every port can be had.

    Raises:
        SetupError: One is taken; or two parts of the system want the same.
    """
    seen: dict[int, Wanted] = {}
    for port in wanted:
        if (first := seen.setdefault(port.port, port)) is not port:
            raise SetupError(
                f"{first.purpose} and {port.purpose} are both set to port {port.port}. "
                f"Set {first.variable} or {port.variable} to another."
            )
        if sentence := problem(port):
            raise SetupError(sentence)


def _sentence(wanted: Wanted, error: OSError) -> str:
    if error.errno != errno.EADDRINUSE:
        return (
            f"{wanted.purpose} cannot listen on {wanted.host}:{wanted.port} "
            f"({error.strerror}). Set {wanted.variable} to another port."
        )
    return (
        f"Port {wanted.port}, wanted by {wanted.purpose}, is taken by "
        f"{_holder(wanted.port)}. Stop that, or set {wanted.variable} to a free port."
    )


def _holder(port: int) -> str:
    """The process that listens on the port, as far as this user may know."""
    try:
        for connection in psutil.net_connections("tcp"):
            at_port = connection.laddr and connection.laddr.port == port
            if at_port and connection.status == psutil.CONN_LISTEN and connection.pid:
                return f"process {connection.pid} ({psutil.Process(connection.pid).name()})"
    except psutil.Error:
        return "another process"
    return "another process"
