"""Waiting for a bot's tick: by a timer towards it, or for the driver of a stepped venue."""

from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from oxbot.domain.market import ClockReading
    from oxbot.domain.schedule import offset_ms, ticks_missed
    from oxbot.messages import TickReport
    from workflows.details import when
    from workflows.state import BotState
    from workflows.steps import Steps

SHORTEST_WAIT: Final = timedelta(seconds=1)
AFTER_THE_TICK: Final = timedelta(milliseconds=50)
"""Wakes just after the tick, since two clocks are compared."""

ROLLS_WHILE_WAITING: Final = "rolls-while-waiting"
"""The patch since which a wait for the tick ends when the history is long."""


class Ticks:
    """Knows when the next cycle is due, and who asked for attention meanwhile."""

    def __init__(self, state: BotState, steps: Steps) -> None:
        self._state = state
        self._steps = steps
        self._heeded = self._news()
        self._woken = False
        self._granted: int | None = None
        self._reports: dict[int, TickReport] = {}

    @property
    def woken(self) -> bool:
        """Whether somebody said that the venue's clock has changed."""
        return self._woken

    @property
    def has_visitor(self) -> bool:
        """Whether a wake or a driver's tick waits; neither is carried into the next run."""
        return self._woken or self._granted is not None

    def wake(self) -> None:
        """Have the venue's clock looked at; trades only if the tick is due by it."""
        self._woken = True

    def heed(self) -> None:
        """Take the present control as known; a change from here on interrupts a wait.

        So does a position that was closed, as a bot that closes may be at its end, one that a
        flattening has left, and what was booked of which a paused bot knew nothing.
        """
        self._heeded = self._news()

    def _news(self) -> tuple[int, int, int, bool]:
        state = self._state
        return state.epoch, state.closures, state.bookings, state.sell_on

    def _controlled(self) -> bool:
        return self._heeded != self._news()

    async def look_at_the_clock(self) -> None:
        """Read the venue's clock because somebody says that it changed; this never trades."""
        self._woken = False
        self._state.clock = await self._steps.read_clock()
        if self._state.stepped and self._state.due_ms is None:
            self._schedule_from_now(self._state.clock)
        elif self._state.stepped:
            self._note_overtaken()

    async def wait_while_paused(self) -> None:
        """Wait for control without a timer, so that a paused bot writes no history.

        What is looked at again and again beside it does, so it also ends when that is too long.
        """
        if not self._state.stepped:
            self._state.due_ms = None
        await workflow.wait_condition(
            lambda: (
                self.has_visitor
                or self._controlled()
                or workflow.info().is_continue_as_new_suggested()
            )
        )
        if self._granted is not None:
            self._state.last_due_ms = self._granted
            self._state.schedule_next()
            self._answer(self._granted, TickReport(cycle=None))

    async def wait_for_due(self) -> bool:
        """Sleep towards the tick; True when it is due, False to look at everything again.

        What is looked at again and again beside it writes history, and a tick may be a day away:
        it also ends when that is too long.
        """
        if self._state.stepped:
            await self._wait_for_visitor()
            return self._granted is not None and not self._controlled()
        wait = self._until_due()
        if wait > timedelta(0):
            summary = f"next tick {when(self._state.due_ms)}"
            if await self._interrupted(wait, summary):
                return False
            if self._until_due() > timedelta(0):
                self._woken = self._stands_still()
                return False
        self._note_overtaken()
        return not self._controlled()

    def grant(self, due_ms: int) -> None:
        """Take a driver's word that this tick is due; one that is done already stays done."""
        if due_ms == self._state.due_ms:
            self._reports.pop(due_ms, None)
            self._granted = due_ms

    def must_be_next(self, due_ms: int) -> None:
        """Refuse a driver's tick that is not the next one, nor one that was just done."""
        if not self._state.stepped:
            raise ApplicationError("The venue's time flows; ticks come from timers.")
        expected = self._state.due_ms if self._granted is None else self._granted
        if due_ms != expected and due_ms not in self._reports:
            raise ApplicationError(f"The next tick is {expected}, not {due_ms}.")

    def is_done(self, due_ms: int) -> bool:
        """Whether a driver's tick has been served."""
        return due_ms in self._reports

    def report_of(self, due_ms: int) -> TickReport | None:
        """Give what a driver's tick led to; None while it is not done."""
        return self._reports.get(due_ms)

    def tell_driver(self, due_ms: int | None, report: TickReport | None) -> None:
        """Answer the driver whose tick the cycle of `due_ms` has served."""
        if self._granted is not None and due_ms is not None and self._granted <= due_ms:
            self._answer(self._granted, report or TickReport(cycle=None))

    def _answer(self, granted: int, report: TickReport) -> None:
        self._granted = None
        told = report.model_copy(update={"next_due_ms": self._state.due_ms})
        self._reports = {granted: told}

    async def _wait_for_visitor(self) -> None:
        await workflow.wait_condition(lambda: self.has_visitor or self._controlled())

    async def _interrupted(self, wait: timedelta, summary: str) -> bool:
        rolls = workflow.patched(ROLLS_WHILE_WAITING)
        try:
            await workflow.wait_condition(
                lambda: self._woken or self._controlled() or (rolls and self._may_roll()),
                timeout=wait,
                timeout_summary=summary,
            )
        except TimeoutError:
            return False
        return True

    def _may_roll(self) -> bool:
        """Whether a new run is suggested, and nobody waits whom it would not know."""
        return workflow.info().is_continue_as_new_suggested() and not self.has_visitor

    def _stands_still(self) -> bool:
        """Whether no timer can tell when the tick is due, so that the clock has to be asked."""
        return self._state.clock is not None and self._state.clock.rate == 0

    def _schedule_from_now(self, clock: ClockReading) -> None:
        self._state.last_due_ms = clock.venue_at(_wall_ms())
        self._state.schedule_next()

    def _until_due(self) -> timedelta:
        """Wall time until the next tick, by the last reading of the venue's clock."""
        clock, spec = self._state.clock, self._state.spec
        if clock is None or spec is None:
            raise RuntimeError("a bot waits for ticks only after its numbers were reserved")
        if self._state.due_ms is None:
            self._schedule_from_now(clock)
        left_ms = (self._state.due_ms or 0) - clock.venue_at(_wall_ms())
        if left_ms <= 0:
            return timedelta(0)
        if clock.rate == 0:
            return timedelta(milliseconds=spec.interval_ms)
        wait = timedelta(milliseconds=int(left_ms / clock.rate)) + AFTER_THE_TICK
        return max(SHORTEST_WAIT, wait)

    def _note_overtaken(self) -> None:
        clock, spec, due_ms = self._state.clock, self._state.spec, self._state.due_ms
        if clock is None or spec is None or due_ms is None:
            return
        now_ms = clock.venue_at(_wall_ms())
        offset = offset_ms(self._state.bot_id, spec.interval_ms)
        self._state.overtake(ticks_missed(due_ms, now_ms, spec.interval_ms, offset), now_ms)


def _wall_ms() -> int:
    return workflow.time_ns() // 1_000_000
