"""Crossings on their way to the bots, and examinations of a venue that stands still."""

from datetime import timedelta
from typing import Final

from temporalio.client import WorkflowHandle
from temporalio.service import RPCError

from oxbot.adapters.temporal.failures import REFUSALS, failed
from oxbot.adapters.temporal.runs import TemporalRuns
from oxbot.domain.errors import Conflict, OxbotError, Unavailable
from oxbot.messages import (
    Examine,
    ExamineReport,
    Protect,
    ProtectReport,
    Reconciliation,
    SayOverRequest,
    WriteOffRequest,
    watch_id,
)

SIGNAL_WITHIN: Final = timedelta(seconds=5)
PROTECTED_WITHIN: Final = timedelta(seconds=90)
"""A bot says within a minute what came of a protection, or that it is still at it."""

SAID_WITHIN: Final = timedelta(minutes=3)
"""A person's word is done between two looks at the account."""

EXAMINED_WITHIN: Final = timedelta(minutes=10)


class TemporalProtection(TemporalRuns):
    """The part of BotControl that the market watch calls, and its driver where time is stepped."""

    async def protect(self, bot_id: str, request: Protect) -> None:
        """Have a position closed; Temporal has the signal on record when this returns."""
        try:
            await self._handle(bot_id).signal("protect", request, rpc_timeout=SIGNAL_WITHIN)
        except (RPCError, RuntimeError) as error:
            raise failed(error, bot_id) from error

    async def protect_now(self, bot_id: str, request: Protect) -> ProtectReport:
        """Have a position closed, and say what came of it."""
        try:
            report: ProtectReport = await self._handle(bot_id).execute_update(
                "protect", request, result_type=ProtectReport, rpc_timeout=PROTECTED_WITHIN
            )
        except REFUSALS as error:
            raise failed(error, bot_id) from error
        return report

    async def reconcile_soon(self, bot_id: str) -> None:
        """Have a live bot look at its account; Temporal has the signal on record afterwards."""
        try:
            await self._handle(bot_id).signal("reconcile", rpc_timeout=SIGNAL_WITHIN)
        except (RPCError, RuntimeError) as error:
            raise failed(error, bot_id) from error

    async def reconcile(self, bot_id: str) -> Reconciliation:
        """Have a live bot look at its account, and say what was found."""
        try:
            found: Reconciliation = await self._handle(bot_id).execute_update(
                "reconcile", result_type=Reconciliation, rpc_timeout=PROTECTED_WITHIN
            )
        except REFUSALS as error:
            raise failed(error, bot_id) from error
        return found

    async def write_off(self, bot_id: str, request: WriteOffRequest) -> Reconciliation:
        """Have a live bot write off what is gone from its account, and say what was found."""
        try:
            found: Reconciliation = await self._handle(bot_id).execute_update(
                "write_off", request, result_type=Reconciliation, rpc_timeout=SAID_WITHIN
            )
        except REFUSALS as error:
            raise failed(error, bot_id) from error
        return found

    async def say_over(self, bot_id: str, request: SayOverRequest) -> Reconciliation:
        """Have a live bot end what a person says to be over, and say what was found."""
        try:
            found: Reconciliation = await self._handle(bot_id).execute_update(
                "say_over", request, result_type=Reconciliation, rpc_timeout=SAID_WITHIN
            )
        except REFUSALS as error:
            raise failed(error, bot_id) from error
        return found

    async def examine(self, venue: str, at_ms: int) -> ExamineReport:
        """Have a stepped venue's guards examined at this moment; answers when all is done.

        Raises:
            Conflict: The venue is not stepped, or is at another moment.
            Unavailable: The watch does not answer.
        """
        watch: WorkflowHandle[object, object] = self._client.get_workflow_handle(watch_id(venue))
        try:
            report: ExamineReport = await watch.execute_update(
                "examine",
                Examine(venue=venue, at_ms=at_ms),
                result_type=ExamineReport,
                rpc_timeout=EXAMINED_WITHIN,
            )
        except REFUSALS as error:
            raise _unexamined(error, venue) from error
        return report


def _unexamined(error: Exception, venue: str) -> OxbotError:
    """Keep what the watch itself says; anything else is that it does not answer."""
    told = failed(error, watch_id(venue))
    if isinstance(told, Conflict):
        return told
    return Unavailable(
        f"The price watch of {venue} did not examine its guards: {error}. Is a worker running? "
        f"`oxbot doctor` tells."
    )
