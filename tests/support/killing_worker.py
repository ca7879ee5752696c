"""A worker that kills itself where it is told to.

`python -m tests.support.killing_worker DIRECTORY POINT...` is the real worker, but for points
such as `after:decide`, `before:execute_order:exit` or `after:claim:entry`: moment, step, and for
steps of an order which orders. A step is an activity or a method of the store or the exchange.
The process sends itself SIGKILL at a point the first time that the first attempt of an activity
comes there, so that every point strikes another activity. A file in DIRECTORY remembers it, so
that the process that is started next passes the point.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import temporalio.client
import temporalio.worker
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from oxbot.adapters.temporal.client import connect
from oxbot.app.ports import Ports
from oxbot.bootstrap import open_ports
from oxbot.bootstrap.addresses import resolve
from oxbot.domain.orders import Order
from oxbot.messages import ExecuteOrder
from oxbot.ports import Exchange, Store
from oxbot.settings import Settings
from worker.main import make_worker

ORDER_STEPS = frozenset({"intend_exit", "claim", "place", "settle"})
"""Methods of store and exchange, the first argument of which is an order or its id."""


@dataclass
class Killer(temporalio.client.Interceptor, temporalio.worker.Interceptor):
    """Stands around every activity.

    `inner` is the store by which an order's purpose is known.
    """

    directory: Path
    points: Sequence[str]
    inner: Store

    async def pass_by(self, moment: str, step: str, order: object = None) -> None:
        """Die here if it is told so."""
        if activity.info().attempt > 1:
            return
        for name in (f"{moment}:{step}", f"{moment}:{step}:{await self._kind(order)}"):
            mark = self.directory / name
            if name in self.points and not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)

    async def _kind(self, order: object) -> str:
        if isinstance(order, str):
            order = await self.inner.order(order)
        if not isinstance(order, Order):
            return ""
        return "exit" if order.purpose.is_exit else "entry"

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        """Stand around an activity."""
        return _Inbound(next, self)


class _Inbound(ActivityInboundInterceptor):
    def __init__(self, inner: ActivityInboundInterceptor, killer: Killer) -> None:
        super().__init__(inner)
        self._killer = killer

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002, ANN401 - the SDK's signature
        name = activity.info().activity_type
        order = next((a.order_id for a in input.args if isinstance(a, ExecuteOrder)), None)
        await self._killer.pass_by("before", name, order)
        result = await super().execute_activity(input)
        await self._killer.pass_by("after", name, order)
        return result


class _Deadly:
    """A port, some methods of which are points."""

    def __init__(self, port: object, killer: Killer) -> None:
        self._port = port
        self._killer = killer

    def __getattr__(self, name: str) -> object:
        method = getattr(self._port, name)
        return self._around(name, method) if name in ORDER_STEPS else method

    def _around(
        self, name: str, method: Callable[..., Awaitable[object]]
    ) -> Callable[..., Awaitable[object]]:
        async def deadly(order: object, *more: object, **named: object) -> object:
            await self._killer.pass_by("before", name, order)
            result = await method(order, *more, **named)
            await self._killer.pass_by("after", name, order)
            return result

        return deadly


def armed(ports: Ports, killer: Killer) -> Ports:
    """Put the points into the ports."""
    return replace(
        ports,
        store=cast("Store", _Deadly(ports.store, killer)),
        exchange=cast("Exchange", _Deadly(ports.exchange, killer)),
    )


async def run(directory: Path, points: Sequence[str]) -> None:
    """Work until killed."""
    settings = resolve(Settings())
    async with open_ports(settings) as ports:
        killer = Killer(directory, points, ports.store)
        client = await connect(settings.temporal_address or "", settings.temporal_namespace)
        config = client.config()
        config["interceptors"] = [killer]
        watched = temporalio.client.Client(**config)
        async with make_worker(watched, armed(ports, killer), settings.task_queue):
            await ports.control.watch(ports.feed.venue)
            await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), sys.argv[2:]))
