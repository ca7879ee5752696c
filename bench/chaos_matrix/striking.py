"""A worker that is struck at its points: around activities, and around what they await."""

import asyncio
import inspect
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, fields, replace
from typing import Any, Final, NamedTuple, cast, get_type_hints

import temporalio.client
import temporalio.worker
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from chaos_matrix.points import AFTER, BEFORE, ENTRY, EXIT, Deed, Marks, Point, Step
from oxbot.app.ports import Ports
from oxbot.messages import ExecuteOrder, Protect, ProtectPosition
from oxbot.ports import Exchange, LiveExchange, Store

STRUCK_PORTS: Final = (Store, Exchange, LiveExchange)
"""Ports whose methods are points."""

LOOK_S: Final = 0.01

_ABOUT: ContextVar["About"] = ContextVar("about")
"""What the activity under way is about."""


class About(NamedTuple):
    """An entry or an exit, and the protection that asked for it."""

    kind: str = ""
    protect: Protect | None = None


@dataclass
class Striker(temporalio.client.Interceptor, temporalio.worker.Interceptor):
    """Does what is due at a point, once for each step, in their order.

    `store` is the record itself, by which it is known what an order is for. What was suspended for
    long is deaf: it is too late for it to hear that it was cancelled meanwhile. What wakes soon is
    cancelled at whatever it awaits.
    """

    steps: Sequence[Step]
    marks: Marks
    store: Store
    is_deaf: bool = False

    async def pass_by(self, moment: str, method: str = "") -> None:
        """Come to a point of the activity under way."""
        number = self.marks.first_open(self.steps)
        if number is None or not activity.in_activity():
            return
        step, about = self.steps[number], _ABOUT.get(About())
        point = Point(moment=moment, activity=activity.info().activity_type, method=method)
        if step.point != point or step.kind not in ("", about.kind):
            return
        self.marks.strike(number, about.kind, about.protect)
        await self._do(step, number)

    async def _do(self, step: Step, number: int) -> None:
        if step.deed is Deed.KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        if step.deed is Deed.SUSPEND:
            self.is_deaf = not step.soon
            os.kill(os.getpid(), signal.SIGSTOP)
        while step.deed is Deed.HOLD and not self.marks.may_go(number):  # noqa: ASYNC110 - others tell
            await asyncio.sleep(LOOK_S)

    async def about(self, arguments: Sequence[object]) -> About:
        """Tell what an activity is about, as far as a step asks for it."""
        for asked in arguments:
            if isinstance(asked, ProtectPosition):
                return About(EXIT, asked.protect)
            if isinstance(asked, ExecuteOrder) and self.marks.first_open(self.steps) is not None:
                order = await self.store.order(asked.order_id)
                return About(EXIT if order.purpose.is_exit else ENTRY)
        return About()

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        """Stand around an activity."""
        return _Inbound(next, self)


class _Inbound(ActivityInboundInterceptor):
    def __init__(self, inner: ActivityInboundInterceptor, striker: Striker) -> None:
        super().__init__(inner)
        self._striker = striker

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002, ANN401 - the SDK's signature
        _ABOUT.set(await self._striker.about(input.args))
        await self._striker.pass_by(BEFORE)
        result = await self._undisturbed(asyncio.ensure_future(super().execute_activity(input)))
        await self._striker.pass_by(AFTER)
        return result

    async def _undisturbed(self, work: asyncio.Future[Any]) -> Any:  # noqa: ANN401 - as above
        """Wait for an activity; who is deaf finishes it, cancelled or not."""
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            if not self._striker.is_deaf:
                work.cancel()
            return await work


class _Struck:
    """A port whose awaited methods are points."""

    def __init__(self, port: object, striker: Striker) -> None:
        self._port = port
        self._striker = striker

    def __getattr__(self, name: str) -> object:
        method = getattr(self._port, name)
        return self._around(name, method) if inspect.iscoroutinefunction(method) else method

    def _around(
        self, name: str, method: Callable[..., Awaitable[object]]
    ) -> Callable[..., Awaitable[object]]:
        async def struck(*args: object, **named: object) -> object:
            await self._striker.pass_by(BEFORE, name)
            result = await method(*args, **named)
            await self._striker.pass_by(AFTER, name)
            return result

        return struck


def armed(ports: Ports, striker: Striker) -> Ports:
    """Put the points into all ports that an order passes."""
    hints = get_type_hints(Ports)
    around = {
        field.name: _Struck(port, striker)
        for field in fields(ports)
        if _is_struck(hints[field.name]) and (port := getattr(ports, field.name)) is not None
    }
    return replace(ports, **cast("dict[str, Any]", around))


def _is_struck(hint: object) -> bool:
    """Whether a field holds one of those ports, or may."""
    return hint in STRUCK_PORTS or any(
        kind in STRUCK_PORTS for kind in getattr(hint, "__args__", ())
    )
