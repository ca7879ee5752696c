"""One program as a child process: started, waited for, stopped."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from oxbot.domain.errors import SetupError
from oxbot.embedded import logs, processes, tether

READY_POLL_S = 0.05
"""Between two looks at whether a program is ready, in seconds; a look costs well below 1 ms."""


async def _at_once() -> bool:
    """Readiness of a program that listens nowhere: it runs."""
    return True


async def _nothing() -> None:
    """Preparation of a program that needs none."""


def tethered(
    command: Sequence[str],
    prefix: Sequence[str] = (),
    death_signal: signal.Signals = signal.SIGKILL,
) -> list[str]:
    """The command, in a form that receives `death_signal` when this process ends.

    It must be started from a thread that lives as long as the process, since Linux ties
    the child to the thread that made it.
    """
    shim = [sys.executable, "-I", "-S", tether.__file__]
    return [*prefix, *shim, str(int(death_signal)), str(os.getpid()), *command]


@dataclass(frozen=True)
class Program:
    """What to run and how to treat it.

    Args:
        name: For people, and for the log's name.
        command: Program and arguments.
        log: File that receives its output.
        environment: Added to ours.
        prefix: Put before everything, such as `unshare`.
        prepare: Done before each start; may raise SetupError.
        ready: Asked until it answers True; an OSError means not yet.
        start_within_s: Seconds until it must be ready.
        stop_signal: Ends it in good order, also when the supervisor itself is killed.
        grace_s: Seconds it has to end after that signal, before SIGKILL.
    """

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    prefix: Sequence[str] = ()
    prepare: Callable[[], Awaitable[None]] = _nothing
    ready: Callable[[], Awaitable[bool]] = _at_once
    start_within_s: float = 30
    stop_signal: signal.Signals = signal.SIGTERM
    grace_s: float = 2


class Child:
    """One run of a program, in a session of its own, so that Ctrl-C does not reach it."""

    def __init__(self, program: Program, process: Process) -> None:
        self.program = program
        self._process = process

    @classmethod
    async def start(cls, program: Program) -> "Child":
        """Prepare and start the program.

        Raises:
            SetupError: Its preparation or the system refused.
        """
        await program.prepare()
        with program.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *tethered(program.command, program.prefix, program.stop_signal),
                stdin=DEVNULL,
                stdout=log,
                stderr=STDOUT,
                env={**os.environ, **program.environment},
                start_new_session=True,
            )
        return cls(program, process)

    @property
    def pid(self) -> int:
        """Process id, and id of the process group it leads."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; -9 after SIGKILL."""
        return self._process.returncode

    async def wait(self) -> int:
        """Wait for its end; the exit code."""
        return await self._process.wait()

    async def until_ready(self) -> None:
        """Wait until it does its work.

        Raises:
            SetupError: It ended first, or takes too long.
        """
        try:
            async with asyncio.timeout(self.program.start_within_s):
                while not await self._is_ready():  # noqa: ASYNC110 - it is outside this process
                    await asyncio.sleep(READY_POLL_S)
        except TimeoutError:
            raise SetupError(
                f"{self.program.name} was not ready after {self.program.start_within_s:g} s. "
                f"{logs.cause(self.program.log)}"
            ) from None

    async def _is_ready(self) -> bool:
        if self.exit_code is not None:
            raise SetupError(
                f"{self.program.name} could not start (exit code {self.exit_code}). "
                f"{logs.cause(self.program.log)}"
            )
        try:
            return await self.program.ready()
        except OSError:
            return False

    async def stop(self, hurry: asyncio.Event | None = None) -> None:
        """End it in good order; by SIGKILL when its grace is over or `hurry` is set."""
        if self.exit_code is not None:
            return
        family = processes.descendants(self.pid)
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(self.program.stop_signal)
        await self._ended_within_grace(hurry)
        if self.exit_code is None:
            processes.signal_group(self.pid, signal.SIGKILL)
        processes.kill(family)
        await self._process.wait()

    async def _ended_within_grace(self, hurry: asyncio.Event | None) -> None:
        waits = {asyncio.create_task(self._process.wait())}
        if hurry is not None:
            waits.add(asyncio.create_task(_until(hurry)))
        try:
            await asyncio.wait(
                waits, timeout=self.program.grace_s, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for task in waits:
                task.cancel()


async def _until(event: asyncio.Event) -> int:
    await event.wait()
    return 0


async def run_to_end(
    command: Sequence[str],
    *,
    prefix: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    stdin: str = "",
) -> tuple[int, str]:
    """Run a program that ends by itself; it is killed when this is cancelled.

    Returns:
        Its exit code, and what it wrote to its two outputs.
    """
    process = await asyncio.create_subprocess_exec(
        *tethered(command, prefix),
        stdin=PIPE,
        stdout=PIPE,
        stderr=STDOUT,
        env={**os.environ, **(environment or {})},
        start_new_session=True,
    )
    try:
        output, _ = await process.communicate(stdin.encode())
    finally:
        if process.returncode is None:
            processes.signal_group(process.pid, signal.SIGKILL)
            await process.wait()
    return await process.wait(), output.decode(errors="replace")
