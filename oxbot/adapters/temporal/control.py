"""Control of running bots through Temporal: workflows are named here, never imported."""

from datetime import timedelta
from typing import Final

from temporalio.service import RPCError

from oxbot.adapters.temporal.failures import REFUSALS, failed, unseen
from oxbot.adapters.temporal.protection import SIGNAL_WITHIN, TemporalProtection
from oxbot.messages import (
    BotView,
    ChangeLimits,
    ClosePosition,
    CloseReport,
    ControlAnswer,
    ControlRequest,
    FlattenReport,
    LimitsAnswer,
    TickReport,
    TickRequest,
)

QUERY_WITHIN: Final = timedelta(seconds=15)
"""Longer than Temporal keeps a query for a worker that has died (the worker's sticky time-out),
so that the worker that took its place can still answer."""
ANSWER_WITHIN: Final = timedelta(seconds=30)
FLATTEN_WITHIN: Final = timedelta(seconds=60)
TICK_WITHIN: Final = timedelta(minutes=5)


class TemporalBotControl(TemporalProtection):
    """Implements BotControl with signals, updates and queries."""

    async def pause(self, bot_id: str, request: ControlRequest) -> ControlAnswer:
        """Pause: no entries from now on, protection goes on."""
        return await self._control(bot_id, "pause", request)

    async def resume(self, bot_id: str, request: ControlRequest) -> ControlAnswer:
        """Resume a paused bot."""
        return await self._control(bot_id, "resume", request)

    async def stop(self, bot_id: str, request: ControlRequest) -> ControlAnswer:
        """Stop: flatten and complete, or stay closing until flat."""
        return await self._control(bot_id, "stop", request)

    async def flatten(self, bot_id: str, request: ControlRequest) -> FlattenReport:
        """Pause and sell everything; answers when it is flat, or says how far it came."""
        try:
            report: FlattenReport = await self._handle(bot_id).execute_update(
                "flatten", request, result_type=FlattenReport, rpc_timeout=FLATTEN_WITHIN
            )
        except REFUSALS as error:
            raise failed(error, bot_id) from error
        return report

    async def flatten_soon(self, bot_id: str, request: ControlRequest) -> None:
        """Have a bot sell everything; Temporal has the signal on record when this returns."""
        await self._signal(bot_id, "flatten", request)

    async def stop_soon(self, bot_id: str, request: ControlRequest) -> None:
        """Have a bot stop; Temporal has the signal on record when this returns."""
        await self._signal(bot_id, "stop", request)

    async def _signal(self, bot_id: str, verb: str, request: ControlRequest) -> None:
        try:
            await self._handle(bot_id).signal(verb, request, rpc_timeout=SIGNAL_WITHIN)
        except (RPCError, RuntimeError) as error:
            raise failed(error, bot_id) from error

    async def _control(self, bot_id: str, verb: str, request: ControlRequest) -> ControlAnswer:
        try:
            answer: ControlAnswer = await self._handle(bot_id).execute_update(
                verb, request, result_type=ControlAnswer, rpc_timeout=ANSWER_WITHIN
            )
        except REFUSALS as error:
            raise failed(error, bot_id) from error
        return answer

    async def close_position(self, bot_id: str, request: ClosePosition) -> CloseReport:
        """Close one position of a bot that goes on; answers when it is, or says how far it came."""
        try:
            report: CloseReport = await self._handle(bot_id).execute_update(
                "close", request, result_type=CloseReport, rpc_timeout=FLATTEN_WITHIN
            )
        except REFUSALS as error:
            raise failed(error, bot_id) from error
        return report

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
            raise unseen(error, bot_id) from error
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
