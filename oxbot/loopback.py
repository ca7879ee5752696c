"""Serving on 127.0.0.1 until a signal comes, for the servers that stand in for others."""

import asyncio
import errno
import signal
import sys
from collections.abc import Callable

import psutil
from aiohttp import web

from oxbot.domain.errors import SetupError

HOST = "127.0.0.1"


def _nothing() -> None:
    """What is done at the end where nothing has to be."""


async def serve(
    app: web.Application,
    port: int,
    *,
    who: str,
    variable: str,
    greeting: Callable[[int], str],
    ending: Callable[[], None] = _nothing,
) -> None:
    """Listen, say so on stdout, and serve until SIGINT or SIGTERM.

    Args:
        app: What to serve.
        port: Where; 0 takes a free one.
        who: The server, for people.
        variable: The setting of the port.
        greeting: Gives what is said, for the port that it became.
        ending: Called as soon as the signal is there.

    Raises:
        SetupError: The port is taken, or this user may not bind it.
    """
    stopped = _stop_event()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        bound = await _listen(runner, port, who, variable)
        sys.stdout.write(greeting(bound))
        sys.stdout.flush()
        await stopped.wait()
        ending()
    finally:
        await runner.cleanup()


def _stop_event() -> asyncio.Event:
    """Set by SIGINT or SIGTERM."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    return stopped


async def _listen(runner: web.AppRunner, port: int, who: str, variable: str) -> int:
    """Bind the port, and say which one it became."""
    try:
        await web.TCPSite(runner, HOST, port).start()
    except (OSError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise SetupError(
                f"Port {port} is taken{_holder(port)}: stop what holds it, or choose another "
                f"port with --port or {variable}."
            ) from error
        raise SetupError(f"{who} cannot listen on port {port}: {error}.") from error
    bound: int = runner.addresses[0][1]
    return bound


def _holder(port: int) -> str:
    """Who listens on a port, as far as this user may know."""
    try:
        pids = {
            connection.pid
            for connection in psutil.net_connections("tcp")
            if connection.laddr
            and connection.laddr.port == port
            and connection.status == psutil.CONN_LISTEN
        }
        names = [f"{psutil.Process(pid).name()} (process {pid})" for pid in pids if pid]
    except psutil.Error:
        return ""
    return f" by {names[0]}" if names else ""
