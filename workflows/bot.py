"""The life of one bot: wait for the tick, run the cycle, obey control, go on for months."""

import asyncio
from datetime import timedelta
from enum import Enum, auto
from typing import Final

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from oxbot.domain.bot import BotStatus
    from oxbot.messages import BOT_WORKFLOW, BotView, ControlRequest
    from workflows.handlers import BotHandlers
    from workflows.holds import Holds
    from workflows.state import BotState

RESERVE: Final = 64
"""Cycle numbers reserved at a time."""

FLATTEN_AGAIN: Final = timedelta(seconds=5)

LONGEST_HOLD: Final = "longest-hold"
"""The patch that gave the longest hold a timer of its own."""


class Todo(Enum):
    """What a bot does next."""

    CYCLE = auto()
    ROLL = auto()
    END = auto()


@workflow.defn(name=BOT_WORKFLOW)
class BotWorkflow(BotHandlers):
    """One bot. Signals and updates pause, resume and stop it; `status` describes it."""

    @workflow.init
    def __init__(self, state: BotState) -> None:
        super().__init__(state)
        self._cycles = 0

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
        if not self._state.stepped:
            self._reconciling.ask()
        scribe = asyncio.create_task(self._scribe.write())
        protector = asyncio.create_task(self._protector.drain())
        reconciling = asyncio.create_task(self._reconciling.keep())
        if workflow.patched(LONGEST_HOLD):
            holds = Holds(self._state, self._protector, lambda: self._ended)
            self._holds = asyncio.create_task(holds.keep())
        while (todo := await self._next()) is not Todo.END:
            if todo is Todo.ROLL:
                return True
            await self._run_cycle()
            await self._reserve()
        await workflow.wait_condition(lambda: self._protector.is_idle)
        await self._end()
        await scribe
        await protector
        await reconciling
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

        A tick that was accepted and a wake are not carried over, so they are served first. A
        protection is carried over, but ends where it began unless its run gets too long.
        """
        await workflow.wait_condition(
            lambda: workflow.all_handlers_finished() or self._has_to_stay()
        )
        return not self._has_to_stay()

    def _has_to_stay(self) -> bool:
        too_long = workflow.info().is_continue_as_new_suggested()
        is_idle = self._protector.is_idle and self._reconciling.is_idle
        return self._ticks.has_visitor or not (is_idle or too_long)

    async def _next(self) -> Todo:
        """Wait until something is to be done.

        The status is looked at afresh after every wake, so that a wake alone never trades.
        """
        while True:
            self._ticks.heed()
            if self._ticks.woken:
                await self._ticks.look_at_the_clock()
            elif self._is_over():
                if await self._may_end():
                    return Todo.END
                if self._roll_due() and await self._may_roll():
                    return Todo.ROLL
            elif self._roll_due() and not self._has_to_stay() and await self._may_roll():
                return Todo.ROLL
            elif self._state.closing_flat:
                await self._pause_between_flattenings()
                return Todo.CYCLE
            elif self._state.status is BotStatus.PAUSED and self._state.is_flat:
                await self._ticks.wait_while_paused()
            elif await self._ticks.wait_for_due():
                return Todo.CYCLE

    async def _may_end(self) -> bool:
        """Whether it is over for good: what was sent and not known may have bought something."""
        if not await self._reconciling.is_done():
            await workflow.sleep(FLATTEN_AGAIN, summary="look again before it ends")
            return False
        return self._is_over()

    def _is_over(self) -> bool:
        """Whether nothing is left to do."""
        status = self._state.status
        has_closed = status is BotStatus.CLOSING and self._state.has_sold_all
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

    async def _end(self) -> None:
        """Write the final state before the workflow closes."""
        await self._cycle.write_until_done()
        self._state.change(BotStatus.STOPPED, self._state.control_by, self._state.control_reason)
        self._state.due_ms = None
        self._ended = True
        self._show()
