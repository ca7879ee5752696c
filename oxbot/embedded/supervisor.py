"""Keeps programs alive, and says what happened to them."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator

from oxbot.domain.errors import SetupError
from oxbot.embedded import logs
from oxbot.embedded.child import Child, Program
from oxbot.embedded.leftovers import Records

Announce = Callable[[str], None]
"""Receives one line for people about what happened."""

PAUSES_S = (0.2, 0.5, 1.0, 2.0)
"""Before the first, second, ... restart of a program within a minute, in seconds."""

MOST_DEATHS = len(PAUSES_S) + 1
"""A program that dies so often within WINDOW_S is given up."""

WINDOW_S = 60.0
"""Seconds that a death counts."""


class Supervisor:
    """Runs programs until told to stop; one that dies is started again."""

    def __init__(self, records: Records, announce: Announce) -> None:
        self._records = records
        self._announce = announce
        self._children: dict[str, Child] = {}
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._given_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def start(self, program: Program) -> None:
        """Start a program, wait until it is ready, keep it alive from then on.

        Raises:
            SetupError: It does not come up.
        """
        child = await self._spawn(program)
        await child.until_ready()
        keeper = asyncio.create_task(self._keep(child), name=f"keep {program.name}")
        keeper.add_done_callback(self._keeper_ended)
        self._keepers[program.name] = keeper

    async def until_given_up(self) -> None:
        """Wait until a program cannot be kept alive.

        Raises:
            SetupError: Which one, and why.
        """
        await asyncio.shield(self._given_up)

    async def stop(self, names: Iterable[str], hurry: asyncio.Event | None = None) -> None:
        """Stop programs together, each within its grace; unknown names are fine."""
        known = [name for name in names if name in self._children]
        for name in known:
            await self._let_go(name)
        await together(*(self._stop(self._children[name], hurry) for name in known))

    async def stop_all(self) -> None:
        """Stop whatever still runs."""
        await self.stop(list(self._children))

    def trim_logs(self) -> None:
        """Cut the logs that have grown too large."""
        for child in self._children.values():
            logs.trim(child.program.log)

    async def _spawn(self, program: Program) -> Child:
        child = await Child.start(program)
        self._children[program.name] = child
        self._records.started(program.name, child.pid)
        return child

    async def _keep(self, child: Child) -> None:
        """Watch one program for as long as the system runs."""
        program, deaths = child.program, deque[float](maxlen=MOST_DEATHS)
        while True:
            code = await child.wait()
            await self._pause_after_death(program, code, deaths)
            child = await self._spawn(program)
            try:
                await child.until_ready()
            except SetupError as error:
                self._announce(f"{program.name} did not come back: {error}")
                await child.stop()
            else:
                self._announce(f"{program.name} restarted (process {child.pid})")

    async def _pause_after_death(self, program: Program, code: int, deaths: deque[float]) -> None:
        """Say it, and wait longer after each death within the window.

        Raises:
            SetupError: It died too often.
        """
        now = asyncio.get_running_loop().time()
        deaths.append(now)
        recent = sum(now - death < WINDOW_S for death in deaths)
        if recent >= MOST_DEATHS:
            raise SetupError(
                f"{program.name} ended {recent} times within a minute (last exit code {code}), "
                f"so 0xBot stops. {logs.cause(program.log)}"
            )
        self._announce(f"{program.name} died (exit code {code}), restarting")
        await asyncio.sleep(PAUSES_S[recent - 1])

    def _keeper_ended(self, keeper: asyncio.Task[None]) -> None:
        """A keeper ends by being let go, or by giving up."""
        if keeper.cancelled() or self._given_up.done():
            return
        if error := keeper.exception():
            self._given_up.set_exception(error)
            self._given_up.exception()  # read here, since a stop may come before the waiter

    async def _let_go(self, name: str) -> None:
        """Stop watching, before the program is stopped on purpose."""
        keeper = self._keepers.pop(name, None)
        if keeper is not None:
            keeper.cancel()
            await asyncio.wait({keeper})

    async def _stop(self, child: Child, hurry: asyncio.Event | None) -> None:
        await child.stop(hurry)
        self._children.pop(child.program.name, None)
        self._records.ended(child.program.name)


async def together(*steps: Coroutine[None, None, None]) -> None:
    """Do steps at the same time; the first failure ends the others and is raised alone."""
    with first_failure():
        async with asyncio.TaskGroup() as group:
            for step in steps:
                group.create_task(step)


@contextlib.contextmanager
def first_failure() -> Iterator[None]:
    """Raise the first failure of a task group by itself: people read one sentence."""
    try:
        yield
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
