"""The market watch of one venue: an activity that never rests, whichever worker runs it."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.watch import WatchActivities
    from oxbot.domain.feed import FeedStatus
    from oxbot.messages import (
        WATCH_WORKFLOW,
        Examine,
        ExamineReport,
        WatchPrices,
        WatchView,
    )
    from workflows.causes import cause_of, failure_of
    from workflows.details import when
    from workflows.limits import HEARTBEAT_WITHIN

MARGIN: Final = timedelta(minutes=5)
"""An attempt ends by itself this long before its limit."""

ALWAYS: Final = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2,
    maximum_interval=timedelta(seconds=5),
)
"""Attempts are counted over an hour: what kills the watch often must not make it rest for long."""

UNFIT: Final = "Conflict"
"""Type of the failure with which a system of another venue refuses to watch."""

VENUE_AWAY: Final = ("VenueUnavailable", "RateLimited", "Unusable", "CircuitOpen")
"""Types of failures that are the venue's own."""

EXAMINED_WITHIN: Final = timedelta(minutes=10)
SEVERAL_TIMES: Final = RetryPolicy(
    initial_interval=timedelta(milliseconds=250),
    maximum_interval=timedelta(seconds=2),
    maximum_attempts=8,
)
"""A stepped venue stands still meanwhile; but its driver has to go on where nobody answers."""


@workflow.defn(name=WATCH_WORKFLOW)
class MarketWatchWorkflow:
    """Watches a venue until told to stop; nothing is signalled to it, so a run can end any time.

    Its state is a view, which a shard of the venue's symbols would be a field of.
    """

    @workflow.init
    def __init__(self, view: WatchView) -> None:
        self._view = view
        self._stopping = ""
        self._examined = 0

    @workflow.run
    async def run(self, view: WatchView) -> WatchView:  # noqa: ARG002 - as in init, says Temporal
        """Watch; cancelling means stop. Gives the last view."""
        runs = 0
        while not self._stopping:
            if self._may_roll(runs):
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(self._view)
            self._show()
            await self._watch_once()
            runs += 1
        self._view = self._view.model_copy(update={"ended": self._stopping})
        self._show()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._view

    async def _watch_once(self) -> None:
        """Run the activity until it ends, or until this run has to."""
        watching = asyncio.create_task(self._activity())
        try:
            await workflow.wait_condition(lambda: watching.done() or self._has_to_end())
        except asyncio.CancelledError:
            self._stopping = "the workflow was cancelled"
        if not watching.done():
            watching.cancel()
            with suppress(ActivityError, asyncio.CancelledError):
                await watching
            return
        try:
            last = await watching
        except ActivityError as error:
            self._stopping = _refusal(error)
        else:
            runs = self._view.runs + 1
            self._view = self._view.model_copy(update={"runs": runs, "last": last})

    async def _activity(self) -> FeedStatus:
        venue, span_s = self._view.venue, self._view.span_s
        return await workflow.execute_activity_method(
            WatchActivities.watch_prices,
            WatchPrices(venue=venue, for_s=span_s),
            start_to_close_timeout=timedelta(seconds=span_s) + MARGIN,
            heartbeat_timeout=HEARTBEAT_WITHIN,
            retry_policy=ALWAYS,
            summary=f"prices of {venue}; its heartbeat says how they come",
        )

    def _has_to_end(self) -> bool:
        return bool(self._stopping) or self._examined >= self._view.examine_at_most

    def _may_roll(self, runs: int) -> bool:
        enough = runs >= self._view.roll_after or self._examined >= self._view.examine_at_most
        return enough or workflow.info().is_continue_as_new_suggested()

    def _show(self) -> None:
        workflow.set_current_details(told(self._view))

    @workflow.query(name="status", description="Source, gaps and reconnects, as last reported.")
    def status_query(self) -> WatchView:
        """Describe the watch."""
        return self._view

    @workflow.update(name="stop", description="End the watch; prices then come by REST.")
    def stop_update(self) -> WatchView:
        """End the watch; a worker that starts later begins a new one."""
        self._stopping = "it was told to stop"
        return self._view

    @workflow.update(name="examine", description="Close what is due at this stepped moment.")
    async def examine_update(self, request: Examine) -> ExamineReport:
        """Have the guards of a venue that stands still examined; answers when all is done."""
        self._examined += 1
        try:
            return await workflow.execute_activity_method(
                WatchActivities.examine,
                request,
                schedule_to_close_timeout=EXAMINED_WITHIN,
                heartbeat_timeout=HEARTBEAT_WITHIN,
                retry_policy=SEVERAL_TIMES,
                summary=f"guards of {request.venue} at {when(request.at_ms)}",
            )
        except ActivityError as error:
            cause = failure_of(error)
            kind = cause.type if isinstance(cause, ApplicationError) else None
            if isinstance(cause, ApplicationError) and kind == UNFIT:
                raise ApplicationError(cause.message, type=UNFIT) from error
            unfinished = kind not in VENUE_AWAY
            return ExamineReport(
                crossings=0, closed=0, trouble=cause_of(error), unfinished=unfinished
            )

    @examine_update.validator
    def _may_examine(self, request: Examine) -> None:
        if request.venue != self._view.venue:
            raise ApplicationError(
                f"This is the watch of {self._view.venue}, not of {request.venue}.", type=UNFIT
            )
        if self._stopping:
            raise ApplicationError(f"The watch ends, since {self._stopping}.", type=UNFIT)


def _refusal(error: ActivityError) -> str:
    """Give the reason of a worker that looks at another venue; any other failure is raised."""
    cause = error.cause
    if isinstance(cause, ApplicationError) and cause.type == UNFIT:
        return cause.message
    raise error


def told(view: WatchView) -> str:
    """Write the watch's page in Temporal's Web UI, in markdown."""
    head = f"## Prices of {view.venue}"
    if view.ended:
        return f"{head}\n\n**Ended**: {view.ended}"
    now = (
        "The heartbeat of the activity under way tells the present: source, since when, gaps, "
        "reconnects. The API tells it at `/status`."
    )
    last = view.last
    if last is None:
        return f"{head}\n\n{now}"
    return (
        f"{head}\n\n{now}\n\n**Report of {when(last.reported_ms)}**: prices from "
        f"{last.source} since {when(last.since_ms)}, {last.gaps} gaps, {last.reconnects} "
        f"reconnects, {len(last.symbols)} symbols. {last.trouble}"
    )
