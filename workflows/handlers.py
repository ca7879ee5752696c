"""What a bot can be told and asked: signals, updates with their validators, and its status."""

from typing import Final

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from oxbot.domain.bot import BotStatus
    from oxbot.messages import (
        BotView,
        ChangeLimits,
        ClosePosition,
        CloseReport,
        ControlAnswer,
        ControlRequest,
        FlattenReport,
        LimitsAnswer,
        Protect,
        ProtectReport,
        Reconciliation,
        SayOverRequest,
        TickReport,
        TickRequest,
        WriteOffRequest,
    )
    from workflows.attributes import attributes_of
    from workflows.closing import Closing
    from workflows.control import UNREADABLE, Control, read_request
    from workflows.cycle import Cycle
    from workflows.details import details
    from workflows.flattening import Flattening
    from workflows.limits_change import LimitsChange
    from workflows.protector import Coins, Protector, read_protect
    from workflows.reconciling import Reconciling
    from workflows.scribe import Scribe
    from workflows.state import BotState
    from workflows.steps import Steps
    from workflows.ticks import Ticks


ALIVE: Final = (BotStatus.RUNNING, BotStatus.PAUSED, BotStatus.CLOSING)


class BotHandlers:
    """The handlers of a bot's workflow, on the parts that they speak to.

    Signals only change state; updates answer once that holds, or say that it does not yet.
    """

    def __init__(self, state: BotState) -> None:
        self._state = state
        self._steps = Steps(state)
        coins = Coins()
        self._reconciling = Reconciling(
            state, self._steps, ended=lambda: self._ended, show=self._show
        )
        self._cycle = Cycle(state, self._steps, coins, self._reconciling, halt=self._halt)
        self._control = Control(state, self._cycle)
        self._scribe = Scribe(state, self._steps, ended=lambda: self._ended)
        self._limits = LimitsChange(state, self._scribe)
        self._protector = Protector(
            state,
            self._steps,
            coins,
            self._reconciling,
            ended=lambda: self._ended,
            show=self._show,
        )
        self._flattening = Flattening(self._steps, self._control, self._protector)
        self._closing = Closing(state, self._steps, self._protector)
        self._ticks = Ticks(state, self._steps)
        self._ended = False
        self._shown: BotStatus | None = None

    def _show(self) -> None:
        """Tell Temporal's tools how the bot is; attributes only when they changed."""
        workflow.set_current_details(details(self._state))
        if self._state.spec is not None and self._shown is not self._state.status:
            self._shown = self._state.status
            workflow.upsert_search_attributes(attributes_of(self._state.spec, self._shown))

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
        self._control.must_be("stop", *ALIVE)

    @workflow.signal(name="protect", description="A price reached a guard: close the position.")
    def protect_signal(self, request: object = None) -> None:
        """Close a position; what cannot be read is told, and the next cycle judges all guards."""
        readable = read_protect(request)
        if readable is None:
            self._state.last_error = "a protection came whose input could not be read"
        else:
            self._protector.ask(readable)
        self._show()

    @workflow.signal(name="flatten", description="As the update, for whoever waits for nothing.")
    async def flatten_signal(self, request: object = None) -> None:
        """Pause and sell everything, also where the request cannot be read."""
        if self._state.status in ALIVE:
            self._pause(read_request(request) or UNREADABLE)
            await self._flattening.sell()

    @workflow.update(name="flatten", description="Pause, and sell everything now.")
    async def flatten_update(self, request: ControlRequest | None = None) -> FlattenReport:
        """Pause, sell everything, and answer when nothing is left or with how far it came."""
        self._pause(request or ControlRequest())
        return await self._flattening.answer()

    @flatten_update.validator
    def _may_flatten(self, request: ControlRequest | None = None) -> None:  # noqa: ARG002 - as the update's
        self._control.must_be("flatten", *ALIVE)

    @workflow.update(name="close", description="Sell one coin now; the bot goes on.")
    async def close_update(self, request: ClosePosition) -> CloseReport:
        """Close one position, and answer when it is closed or with how far it came."""
        return await self._closing.answer(request)

    @close_update.validator
    def _may_close(self, request: ClosePosition) -> None:
        self._control.must_be(f"close its position in {request.symbol}", *ALIVE)

    @workflow.update(name="change_limits", description="Change limits; only those named change.")
    async def change_limits_update(self, change: ChangeLimits) -> LimitsAnswer:
        """Change limits, and answer when they are on record."""
        return await self._limits.answer(change)

    @change_limits_update.validator
    def _may_change_limits(self, change: ChangeLimits) -> None:
        self._control.must_be("change its limits", *ALIVE)
        self._limits.must_fit(change)

    @workflow.update(name="protect", description="As the signal; answers when it is done.")
    async def protect_update(self, request: Protect) -> ProtectReport:
        """Close a position, and answer when it is closed or the call was stale."""
        return await self._protector.answer(request)

    @workflow.signal(name="reconcile", description="Something of the account has changed: look.")
    def reconcile_signal(self) -> None:
        """Have a live bot's record held against its account soon."""
        self._reconciling.ask()

    @workflow.update(name="reconcile", description="Hold record and account against each other.")
    async def reconcile_update(self) -> Reconciliation:
        """Look up, book, prove and compare, and answer with what was found."""
        return await self._reconciling.answer()

    @reconcile_update.validator
    def _may_reconcile(self) -> None:
        self._control.must_be("be reconciled", *ALIVE)

    @workflow.update(name="write_off", description="Take what is gone off the books: a loss.")
    async def write_off_update(self, request: WriteOffRequest) -> Reconciliation:
        """Reconcile, write off what was confirmed to be gone, and prove the stops of the rest."""
        return await self._reconciling.write_off(request)

    @write_off_update.validator
    def _may_write_off(self, request: WriteOffRequest) -> None:  # noqa: ARG002 - as the update's
        self._control.must_be("write anything off", *ALIVE)

    @workflow.update(name="say_over", description="An order that OKX shows nowhere is over.")
    async def say_over_update(self, request: SayOverRequest) -> Reconciliation:
        """Look once more, end what a person says to be over, and prove what is left."""
        return await self._reconciling.say_over(request)

    @say_over_update.validator
    def _may_say_over(self, request: SayOverRequest) -> None:  # noqa: ARG002 - as the update's
        self._control.must_be("have anything ended", *ALIVE)

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

    def _halt(self, reason: str) -> None:
        self._pause(ControlRequest(by="kill switch", reason=reason))

    def _pause(self, request: ControlRequest) -> None:
        self._control.pause(request)
        self._show()

    def _resume(self, request: ControlRequest) -> None:
        self._control.resume(request)
        self._show()

    def _stop(self, request: ControlRequest) -> None:
        self._control.stop(request)
        self._show()
