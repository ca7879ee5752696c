"""Faults at chosen activities: made to wait, made to fail, and counted, by their names."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor


class Held:
    """An activity that waits at its beginning until the test lets it go on."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.released = asyncio.Event()


class Faults(Interceptor):
    """Stands in front of the real activities. `begun` counts attempts by activity name."""

    def __init__(self) -> None:
        self.begun: Counter[str] = Counter()
        self._held: dict[str, Held] = {}
        self._held_after: dict[str, Held] = {}
        self._failing: dict[str, ApplicationError] = {}

    @asynccontextmanager
    async def holding(self, name: str) -> AsyncIterator[Held]:
        """Hold the next attempts of an activity until the block ends."""
        self._held[name] = held = Held()
        try:
            yield held
        finally:
            self._held.pop(name, None)
            held.released.set()

    @asynccontextmanager
    async def holding_after(self, name: str) -> AsyncIterator[Held]:
        """Hold what the next attempts of an activity came to, until the block ends."""
        self._held_after[name] = held = Held()
        try:
            yield held
        finally:
            del self._held_after[name]
            held.released.set()

    @contextmanager
    def failing(self, name: str, *, final: bool = True) -> Iterator[None]:
        """Fail each attempt in the block; a final failure is not tried again.

        Where time is skipped, let none that is not final run into its limit: the test server
        cannot skip time ever after.
        """
        told = ApplicationError("told to fail", type="Planted", non_retryable=final)
        self._failing[name] = told
        try:
            yield
        finally:
            del self._failing[name]

    @contextmanager
    def hanging(self, name: str) -> Iterator[None]:
        """Let each attempt begun in the block wait until it is cut off, as for a dead peer.

        Not where time is skipped: it stands still while an activity runs.
        """
        self._held[name] = Held()
        try:
            yield
        finally:
            del self._held[name]

    async def meet(self, name: str) -> None:
        """Let an attempt feel what is planted for it.

        Raises:
            ApplicationError: The planted failure.
        """
        self.begun[name] += 1
        if held := self._held.get(name):
            held.reached.set()
            await held.released.wait()
        if failure := self._failing.get(name):
            raise failure

    async def leave(self, name: str) -> None:
        """Let an attempt that is done feel what is planted for its answer."""
        if held := self._held_after.get(name):
            held.reached.set()
            await held.released.wait()

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        """Put the faults in front of every activity."""
        return _Inbound(next, self)


class _Inbound(ActivityInboundInterceptor):
    def __init__(self, inner: ActivityInboundInterceptor, faults: Faults) -> None:
        super().__init__(inner)
        self._faults = faults

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002, ANN401 - the SDK's signature
        await self._faults.meet(activity.info().activity_type)
        result = await super().execute_activity(input)
        await self._faults.leave(activity.info().activity_type)
        return result
