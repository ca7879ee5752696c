"""The life of one bot: wait for the tick, run the cycle, obey control, go on for months."""

import asyncio
from datetime import timedelta
from enum import Enum, auto
from typing import Final

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from oxbot.domain.bot import BotStatus
    from oxbot.messages import (
        BOT_WORKFLOW,
        BotView,
        ControlAnswer,
        ControlRequest,
        TickReport,
        TickRequest,
    )
    from workflows.attributes import attributes_of
    from workflows.control import UNREADABLE, Control, read_request
    from workflows.cycle import Cycle
    from workflows.details import details
    from workflows.state import BotState
    from workflows.steps import Steps
    from workflows.ticks import Ticks

RESERVE: Final = 64
"""Cycle numbers reserved at a time."""

FLATTEN_AGAIN: Final = timedelta(seconds=5)


class Todo(Enum):
    """What a bot does next."""

    CYCLE = auto()
    ROLL = auto()
    END = auto()


@workflow.defn(name=BOT_WORKFLOW)
class BotWorkflow:
    """One bot. Signals and updates pause, resume and stop it; `status` describes it."""

    @workflow.init
    def __init__(self, state: BotState) -> None:
        self._state = state
        self._steps = Steps(state)
        self._cycle = Cycle(state, self._steps)
        self._control = Control(state, self._steps, self._cycle)
        self._ticks = Ticks(state, self._steps)
        self._cycles = 0
        self._ended = False
        self._shown: BotStatus | None = None

    @workflow.run
    async def run(self, state: BotState) -> BotView:  # noqa: ARG002 - as in init, says Temporal
        """Live until stopped. Cancelling means stop: positions are sold, then it completes."""
        life = asyncio.create_task(self._live())
        while not life.done():
            try:
                await asyncio.shield(life)
            except asyncio.CancelledError:
                self._stop(ControlRequest(by="cancel", reason="the workflow was cancelled"))
        if await life:
            workflow.continue_as_new(self._state)
        return self._state.view(())

    async def _live(self) -> bool:
        """Run cycles; True: go on in a new run, False: the bot has stopped."""
        await self._reserve()
        scribe = asyncio.create_task(self._control.keep_on_record(lambda: self._ended))
        while (todo := await self._next()) is not Todo.END:
            if todo is Todo.ROLL:
                return True
            await self._run_cycle()
            await self._reserve()
        await self._end()
        await scribe
        await workflow.wait_condition(workflow.all_handlers_finished)
        return False

    async def _reserve(self) -> None:
        """Get cycle numbers from PostgreSQL when they have run out."""
        if self._state.next_cycle <= self._state.last_reserved:
            self._show()
            return
        self._state.adopt(await self._steps.open_run(RESERVE))
        self._show()

    def _roll_due(self) -> bool:
        suggested = workflow.info().is_continue_as_new_suggested()
        return self._cycles >= self._state.roll_after or suggested

    async def _may_roll(self) -> bool:
        """Wait for the handlers; False when something came in that this run has to see to.

        A tick that was accepted and a wake are not carried over, so they are served first.
        """
        await workflow.wait_condition(
            lambda: workflow.all_handlers_finished() or self._ticks.has_visitor
        )
        return not self._ticks.has_visitor

    async def _next(self) -> Todo:
        """Wait until something is to be done.

        The status is looked at afresh after every wake, so that a wake alone never trades.
        """
        while True:
            self._ticks.heed()
            if self._ticks.woken:
                await self._ticks.look_at_the_clock()
            elif self._is_over():
                return Todo.END
            elif self._roll_due() and not self._ticks.has_visitor and await self._may_roll():
                return Todo.ROLL
            elif self._state.closing_flat:
                await self._pause_between_flattenings()
                return Todo.CYCLE
            elif self._state.status is BotStatus.PAUSED and self._state.is_flat:
                await self._ticks.wait_while_paused()
            elif await self._ticks.wait_for_due():
                return Todo.CYCLE

    def _is_over(self) -> bool:
        """Whether nothing is left to do."""
        status = self._state.status
        has_closed = status is BotStatus.CLOSING and self._state.is_flat
        return has_closed or status is BotStatus.STOPPED

    async def _pause_between_flattenings(self) -> None:
        if self._cycle.flattened_in_vain:
            await workflow.sleep(FLATTEN_AGAIN, summary="flatten again")

    async def _run_cycle(self) -> None:
        """Run one cycle; it does not count where the venue's clock says: not due yet."""
        due_ms = self._state.due_ms
        report = await self._cycle.run()
        self._cycles += report is not None
        self._show()
        self._ticks.tell_driver(due_ms, report)

    def _show(self) -> None:
        """Tell Temporal's tools how the bot is; attributes only when they changed."""
        workflow.set_current_details(details(self._state))
        if self._state.spec is not None and self._shown is not self._state.status:
            self._shown = self._state.status
            workflow.upsert_search_attributes(attributes_of(self._state.spec, self._shown))

    async def _end(self) -> None:
        """Write the final state before the workflow closes."""
        await self._cycle.write_until_done()
        self._state.change(BotStatus.STOPPED, self._state.control_by, self._state.control_reason)
        self._state.due_ms = None
        self._ended = True
        self._show()

    @workflow.signal(name="pause", description="No entries from now on; protection goes on.")
    def pause_signal(self, request: object = None) -> None:
        """Pause, also where the request cannot be read."""
        self._pause(read_request(request) or UNREADABLE)

    @workflow.signal(name="resume", description="Resume a paused bot at its next tick.")
    def resume_signal(self, request: object = None) -> None:
        """Resume; ignored when the bot is closing. A request that cannot be read pauses."""
        readable = read_request(request)
        self._resume(readable) if readable else self._pause(UNREADABLE)

    @workflow.signal(name="stop", description="Sell everything, then end.")
    def stop_signal(self, request: object = None) -> None:
        """Stop. A request that cannot be read pauses: it may have meant to keep positions."""
        readable = read_request(request)
        self._stop(readable) if readable else self._pause(UNREADABLE)

    @workflow.signal(name="wake", description="The venue's clock changed: look at it now.")
    def wake_signal(self) -> None:
        """Read the venue's clock now; trades only if the tick is due by it."""
        self._ticks.wake()

    @workflow.update(name="pause", description="Pause; answers once it holds.")
    async def pause_update(self, request: ControlRequest | None = None) -> ControlAnswer:
        """Pause, and answer when it is on record."""
        self._pause(request or ControlRequest())
        return await self._control.answer()

    @pause_update.validator
    def _may_pause(self, request: ControlRequest | None = None) -> None:  # noqa: ARG002 - as the update's
        self._control.must_be("pause", BotStatus.RUNNING, BotStatus.PAUSED)

    @workflow.update(name="resume", description="Resume a paused bot at its next tick.")
    async def resume_update(self, request: ControlRequest | None = None) -> ControlAnswer:
        """Resume, and answer when it is on record."""
        self._resume(request or ControlRequest())
        return await self._control.answer()

    @resume_update.validator
    def _may_resume(self, request: ControlRequest | None = None) -> None:  # noqa: ARG002 - as the update's
        self._control.must_be("resume", BotStatus.PAUSED, BotStatus.RUNNING)

    @workflow.update(name="stop", description="Stop: sell everything and end, or keep until flat.")
    async def stop_update(self, request: ControlRequest | None = None) -> ControlAnswer:
        """Stop, and answer when it is on record."""
        self._stop(request or ControlRequest())
        return await self._control.answer()

    @stop_update.validator
    def _may_stop(self, request: ControlRequest | None = None) -> None:  # noqa: ARG002 - as the update's
        self._control.must_be("stop", BotStatus.RUNNING, BotStatus.PAUSED, BotStatus.CLOSING)

    @workflow.update(name="tick", description="The driver of a stepped venue: this tick is due.")
    async def tick_update(self, request: TickRequest) -> TickReport:
        """Run the cycle of this tick and answer when it is done; asking again is harmless."""
        due_ms = request.due_ms
        self._ticks.grant(due_ms)
        await workflow.wait_condition(lambda: self._ended or self._ticks.is_done(due_ms))
        return self._ticks.report_of(due_ms) or TickReport(cycle=None)

    @tick_update.validator
    def _may_tick(self, request: TickRequest) -> None:
        self._ticks.must_be_next(request.due_ms)

    @workflow.query(name="status", description="Status, positions, last cycle, next tick.")
    def status_query(self) -> BotView:
        """Describe the bot."""
        return self._state.view(self._cycle.entries_in_flight)

    def _pause(self, request: ControlRequest) -> None:
        self._control.pause(request)
        self._show()

    def _resume(self, request: ControlRequest) -> None:
        self._control.resume(request)
        self._show()

    def _stop(self, request: ControlRequest) -> None:
        self._control.stop(request)
        self._show()
