"""What Temporal tells of itself, and of the workers that poll for work."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    DescribeTaskQueueResponse,
    GetSystemInfoRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError

from oxbot.domain.errors import Unavailable
from oxbot.records.answers import Poller

WITHIN: Final = timedelta(seconds=3)

KINDS: Final = {
    "workflows": TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    "activities": TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
}


class TemporalProbe:
    """`oxbot.ports.probing.Server` and `TaskQueue`.

    Args:
        client: Connected to the namespace of the bots.
        task_queue: Where the workers listen.
    """

    def __init__(self, client: Client, task_queue: str) -> None:
        self._client = client
        self._task_queue = task_queue

    async def version(self) -> str:
        """Give the server's version."""
        try:
            told = await self._client.workflow_service.get_system_info(
                GetSystemInfoRequest(), timeout=WITHIN
            )
        except (RPCError, RuntimeError) as error:
            raise Unavailable(f"Temporal does not answer ({error}). Try again.") from error
        return told.server_version

    async def pollers(self) -> list[Poller]:
        """Give who has polled in the last minutes; whoever polls for both is named once."""
        try:
            told = {name: await self._described(kind) for name, kind in KINDS.items()}
        except (RPCError, RuntimeError) as error:
            raise Unavailable(f"Temporal does not tell who polls for work: {error}.") from error
        return _joined((name, answer) for name, answer in told.items())

    async def _described(self, kind: "TaskQueueType.ValueType") -> DescribeTaskQueueResponse:
        asked = DescribeTaskQueueRequest(
            namespace=self._client.namespace,
            task_queue=TaskQueue(name=self._task_queue),
            task_queue_type=kind,
        )
        return await self._client.workflow_service.describe_task_queue(asked, timeout=WITHIN)


def _joined(told: Iterable[tuple[str, DescribeTaskQueueResponse]]) -> list[Poller]:
    found: dict[str, Poller] = {}
    for kind, answer in told:
        for one in answer.pollers:
            seen_ms = one.last_access_time.ToMilliseconds()
            known = found.get(one.identity, Poller(identity=one.identity, polls=(), seen_ms=0))
            found[one.identity] = Poller(
                identity=one.identity,
                polls=(*known.polls, kind),
                seen_ms=max(known.seen_ms, seen_ms),
            )
    return sorted(found.values(), key=lambda poller: poller.identity)
