"""Control of running bots through Temporal: workflows are named here, never imported."""

from datetime import timedelta
from typing import Final

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from oxbot.adapters.temporal.protection import TemporalProtection
from oxbot.adapters.temporal.refusals import REFUSALS, failed
from oxbot.domain.bot import Bot
from oxbot.domain.errors import Unavailable
from oxbot.messages import (
    BOT_WORKFLOW,
    WATCH_WORKFLOW,
    BotView,
    ChangeLimits,
    ControlAnswer,
    ControlRequest,
    LimitsAnswer,
    TickReport,
    TickRequest,
    WatchView,
    watch_id,
    workflow_id,
)

QUERY_WITHIN: Final = timedelta(seconds=5)
ANSWER_WITHIN: Final = timedelta(seconds=30)
TICK_WITHIN: Final = timedelta(minutes=5)


class TemporalBotControl(TemporalProtection):
    """Implements BotControl with signals, updates and queries.

    Args:
        client: Connected to the namespace of the bots.
        task_queue: Where the workers listen.
    """

    def __init__(self, client: Client, task_queue: str) -> None:
        super().__init__(client)
        self._task_queue = task_queue

    async def start(self, bot: Bot) -> bool:
        """Start a bot's workflow; False when one is running already."""
        settings = bot.settings
        try:
            await self._client.start_workflow(
                BOT_WORKFLOW,
                {"bot_id": bot.id},
                id=workflow_id(bot.id),
                task_queue=self._task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                static_summary=f"{settings.name} ({settings.mode}, {settings.provider})",
                static_details=f"Trades {', '.join(settings.symbols)} every {settings.interval_s} s"
                f" with {settings.capital} USDT.",
            )
        except WorkflowAlreadyStartedError:
            return False
        except (RPCError, RuntimeError) as error:
            raise failed(error, bot.id) from error
        return True

    async def is_running(self, bot_id: str) -> bool:
        """Tell whether a bot has a running workflow."""
        try:
            description = await self._handle(bot_id).describe()
        except (RPCError, RuntimeError) as error:
            if isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise failed(error, bot_id) from error
        return description.status is WorkflowExecutionStatus.RUNNING

    async def pause(self, bot_id: str, request: ControlRequest) -> ControlAnswer:
        """Pause: no entries from now on, protection goes on."""
        return await self._control(bot_id, "pause", request)

    async def resume(self, bot_id: str, request: ControlRequest) -> ControlAnswer:
        """Resume a paused bot."""
        return await self._control(bot_id, "resume", request)

    async def stop(self, bot_id: str, request: ControlRequest) -> ControlAnswer:
        """Stop: flatten and complete, or stay closing until flat."""
        return await self._control(bot_id, "stop", request)

    async def _control(self, bot_id: str, verb: str, request: ControlRequest) -> ControlAnswer:
        try:
            answer: ControlAnswer = await self._handle(bot_id).execute_update(
                verb, request, result_type=ControlAnswer, rpc_timeout=ANSWER_WITHIN
            )
        except REFUSALS as error:
            raise failed(error, bot_id) from error
        return answer

    async def change_limits(self, bot_id: str, change: ChangeLimits) -> LimitsAnswer:
        """Change a bot's limits, which it checks before anything is written."""
        try:
            answer: LimitsAnswer = await self._handle(bot_id).execute_update(
                "change_limits", change, result_type=LimitsAnswer, rpc_timeout=ANSWER_WITHIN
            )
        except REFUSALS as error:
            raise failed(error, bot_id) from error
        return answer

    async def view(self, bot_id: str) -> BotView:
        """Ask the workflow for its state; Unavailable when no worker answers."""
        try:
            view: BotView = await self._handle(bot_id).query(
                "status", result_type=BotView, rpc_timeout=QUERY_WITHIN
            )
        except REFUSALS as error:
            raise failed(error, bot_id) from error
        return view

    async def tick(self, bot_id: str, due_ms: int) -> TickReport:
        """Tell a bot of a stepped venue that its tick is due; answers when it is done."""
        try:
            report: TickReport = await self._handle(bot_id).execute_update(
                "tick",
                TickRequest(due_ms=due_ms),
                result_type=TickReport,
                rpc_timeout=TICK_WITHIN,
            )
        except REFUSALS as error:
            raise failed(error, bot_id) from error
        return report

    async def wake(self, bot_id: str) -> None:
        """Have a bot look at the venue's clock now."""
        try:
            await self._handle(bot_id).signal("wake")
        except (RPCError, RuntimeError) as error:
            raise failed(error, bot_id) from error

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
