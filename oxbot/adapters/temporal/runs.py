"""Workflows started, and how they ended: named here, never imported."""

from datetime import timedelta
from typing import Final

from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest
from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowHandle,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from oxbot.adapters.temporal.failures import unseen
from oxbot.domain.bot import Bot
from oxbot.domain.errors import Unavailable
from oxbot.messages import BOT_WORKFLOW, WATCH_WORKFLOW, WatchView, watch_id, workflow_id

START_WITHIN: Final = timedelta(seconds=10)
"""A bot that was put on record is started by the reconciler where Temporal takes longer."""

PAGE: Final = 1000
"""Workflows listed by one request."""


class TemporalRuns:
    """The part of BotControl that starts workflows and looks at their runs.

    Args:
        client: Connected to the namespace of the bots.
        task_queue: Where the workers listen.
    """

    def __init__(self, client: Client, task_queue: str) -> None:
        self._client = client
        self._task_queue = task_queue

    async def start(self, bot: Bot, because: str = "") -> bool:
        """Start a bot's workflow; False when one is running already.

        `because` is shown as the reason of its status, where no person started it.
        """
        settings = bot.settings
        told = {"control_by": "reconciler", "control_reason": because} if because else {}
        try:
            await self._client.start_workflow(
                BOT_WORKFLOW,
                {"bot_id": bot.id, **told},
                id=workflow_id(bot.id),
                task_queue=self._task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                rpc_timeout=START_WITHIN,
                static_summary=f"{settings.name} ({settings.mode}, {settings.provider})",
                static_details=f"Trades {', '.join(settings.symbols)} every {settings.interval_s} s"
                f" with {settings.capital} USDT.",
            )
        except WorkflowAlreadyStartedError:
            return False
        except (RPCError, RuntimeError) as error:
            raise unseen(error, bot.id) from error
        return True

    async def is_running(self, bot_id: str) -> bool:
        """Tell whether a bot has a running workflow."""
        description = await self._described(bot_id)
        return description is not None and description.status is WorkflowExecutionStatus.RUNNING

    async def running(self) -> frozenset[str]:
        """Give the bots known to be running; Temporal's list is a moment behind."""
        asked = ListWorkflowExecutionsRequest(
            namespace=self._client.namespace,
            query=f"WorkflowType = '{BOT_WORKFLOW}' AND ExecutionStatus = 'Running'",
            page_size=PAGE,
        )
        found: set[str] = set()
        try:
            # The service itself: the client would unpack memo and attributes of every run.
            while True:
                page = await self._client.workflow_service.list_workflow_executions(asked)
                found.update(run.execution.workflow_id for run in page.executions)
                if not page.next_page_token:
                    break
                asked.next_page_token = page.next_page_token
        except (RPCError, RuntimeError) as error:
            raise Unavailable(f"Temporal does not list the running bots: {error}.") from error
        return frozenset(run_id.removeprefix(workflow_id("")) for run_id in found)

    async def last_end(self, bot_id: str) -> str | None:
        """Tell how a bot's last workflow ended; None where it has not, or there is none."""
        return _end(await self._described(bot_id))

    async def watch_end(self, venue: str) -> str | None:
        """Tell how a venue's price watch ended; None where it has not, or there is none."""
        try:
            return _end(await self._look(watch_id(venue)))
        except (RPCError, RuntimeError) as error:
            raise Unavailable(
                f"Temporal does not tell how the price watch of {venue} is: {error}."
            ) from error

    async def _described(self, bot_id: str) -> WorkflowExecutionDescription | None:
        """Look at a bot's newest run; None where it never had one, or that is forgotten."""
        try:
            return await self._look(workflow_id(bot_id))
        except (RPCError, RuntimeError) as error:
            raise unseen(error, bot_id) from error

    async def _look(self, run: str) -> WorkflowExecutionDescription | None:
        try:
            return await self._client.get_workflow_handle(run).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise

    async def watch(self, venue: str) -> bool:
        """Start the price watch of a venue; False when it is running already."""
        try:
            await self._client.start_workflow(
                WATCH_WORKFLOW,
                WatchView(venue=venue),
                id=watch_id(venue),
                task_queue=self._task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                static_summary=f"prices of {venue}",
                static_details="Reads the venue's price stream for all bots.",
            )
        except WorkflowAlreadyStartedError:
            return False
        except (RPCError, RuntimeError) as error:
            raise Unavailable(
                f"The price watch of {venue} cannot be started through Temporal: {error}."
            ) from error
        return True

    def _handle(self, bot_id: str) -> WorkflowHandle[object, object]:
        return self._client.get_workflow_handle(workflow_id(bot_id))


def _end(description: WorkflowExecutionDescription | None) -> str | None:
    if description is None or description.status in (None, WorkflowExecutionStatus.RUNNING):
        return None
    return description.status.name.lower()
