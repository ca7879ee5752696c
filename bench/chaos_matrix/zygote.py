"""The process from which all workers are forked, as seen from the outside."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from chaos_matrix.points import Spec
from oxbot.embedded.child import tethered

BENCH = Path(__file__).parents[1]


@dataclass
class Worker:
    """One worker process."""

    pid: int
    ended: asyncio.Future[int]

    @property
    def lives(self) -> bool:
        """Whether it has not ended."""
        return not self.ended.done()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal; one that has ended needs none."""
        if self.lives:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def kill(self) -> None:
        """End it by SIGKILL, suspended or not."""
        self.send(signal.SIGKILL)
        await self.ended


@dataclass
class Zygote:
    """Forks workers, and says when they end."""

    orders: asyncio.StreamWriter
    answers: asyncio.StreamReader
    _wanted: dict[str, asyncio.Future[Worker]] = field(default_factory=dict)
    _workers: dict[int, Worker] = field(default_factory=dict)

    async def fork(self, spec: Spec) -> Worker:
        """Start a worker.

        Raises:
            RuntimeError: Nobody is there to fork it.
        """
        if self.answers.at_eof():
            raise RuntimeError("the process that forks workers has ended")
        self._wanted[spec.name] = asyncio.get_running_loop().create_future()
        self.orders.write(spec.line())
        await self.orders.drain()
        return await self._wanted[spec.name]

    async def listen(self) -> None:
        """Hear what it says, until it ends."""
        async for line in self.answers:
            self._hear(json.loads(line))
        for worker in self._workers.values():
            worker.ended.set_result(-signal.SIGKILL)
        for wanted in self._wanted.values():
            wanted.set_exception(RuntimeError("the process that forks workers has ended"))

    def _hear(self, said: dict[str, int]) -> None:
        if "code" in said:
            self._workers.pop(said["pid"]).ended.set_result(said["code"])
            return
        worker = Worker(said["pid"], asyncio.get_running_loop().create_future())
        self._workers[worker.pid] = worker
        self._wanted.pop(str(said["name"])).set_result(worker)


@asynccontextmanager
async def open_zygote(log: Path) -> AsyncIterator[Zygote]:
    """Start it, and end it with all that it forked."""
    command = [sys.executable, "-m", "chaos_matrix.worker"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *tethered(command, (), signal.SIGKILL),
            stdin=PIPE,
            stdout=PIPE,
            stderr=errors,
            env={**environment, "PYTHONPATH": f"{BENCH}:{BENCH.parent}"},
            start_new_session=True,
        )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the process that forks workers has no pipes")
    await process.stdout.readline()
    zygote = Zygote(process.stdin, process.stdout)
    listener = asyncio.create_task(zygote.listen())
    try:
        yield zygote
    finally:
        zygote.orders.close()
        await process.wait()
        listener.cancel()
