"""One cycle: observe, decide, validate, execute, record. It always ends, and says how."""

from collections.abc import Callable

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from oxbot.domain.orders import OrderState
    from oxbot.messages import (
        CycleOutcome,
        DecisionBrief,
        OrderBrief,
        OrderOutcome,
        RiskReport,
        TickReport,
    )
    from workflows.causes import cause_of
    from workflows.protector import Coins
    from workflows.reconciling import Reconciling
    from workflows.state import BotState
    from workflows.steps import Steps


class Cycle:
    """Runs a bot's cycles one at a time, and keeps what could not be written yet.

    `halt` pauses the bot with a reason: a rule says that it may not go on.
    """

    def __init__(
        self,
        state: BotState,
        steps: Steps,
        coins: Coins,
        reconciling: Reconciling,
        halt: Callable[[str], None],
    ) -> None:
        self._state = state
        self._steps = steps
        self._coins = coins
        self._reconciling = reconciling
        self._halt = halt
        self._entry: OrderBrief | None = None
        self.flattened_in_vain = False

    @property
    def entries_in_flight(self) -> tuple[str, ...]:
        """Ids of entries that can still be sent or filled at this moment."""
        unknown = [i for i, purpose in self._state.unfinished.items() if not purpose.is_exit]
        now = [self._entry.id] if self._entry and self._entry.id not in unknown else []
        return (*unknown, *now)

    async def run(self) -> TickReport | None:
        """Run the cycle of the tick that is due; None where the tick is not due after all."""
        state, number, due_ms = self._state, self._state.next_cycle, self._due_ms()
        outcome = CycleOutcome(cycle=number, incarnation=state.incarnation, due_ms=due_ms)
        try:
            observation = await self._steps.observe_market(number, due_ms)
        except ActivityError as error:
            state.next_cycle += 1
            orders = await self._exit_unseen(outcome)
            done = {"skipped": cause_of(error), "orders": orders}
            return await self._close(outcome.model_copy(update=done))
        state.clock = observation.clock
        if not observation.due:
            self.flattened_in_vain = state.closing_flat
            return None
        state.next_cycle += 1
        state.explain_overtaken(observation.session)
        return await self._close(await self._trade(outcome))

    async def _exit_unseen(self, outcome: CycleOutcome) -> tuple[OrderOutcome, ...]:
        """Judge and execute exits although the cycle saw nothing; for a bot that holds something.

        What could not be seen may be no more than a candle, with prices all around.
        """
        if self._state.is_flat:
            return ()
        await self._reconciling.blocks()
        try:
            report = await self._validate(outcome.cycle, entries=False, unseen=outcome.due_ms)
        except ActivityError:
            return ()
        return await self._execute(report, self._state.epoch)

    def _due_ms(self) -> int:
        """Give the tick's venue time; selling everything is due at once."""
        due_ms, clock = self._state.due_ms or 0, self._state.clock
        return min(due_ms, clock.venue_ms) if clock and self._state.closing_flat else due_ms

    async def _trade(self, outcome: CycleOutcome) -> CycleOutcome:
        """Decide, validate and execute. A failed step cuts the cycle short, never the bot."""
        failed, wishes = await self._decide(outcome.cycle, await self._reconciling.blocks())
        epoch = self._state.epoch
        try:
            report = await self._validate(outcome.cycle, entries=wishes is not None)
        except ActivityError as error:
            causes = (failed, cause_of(error))
            return outcome.model_copy(update={"skipped": "; ".join(filter(None, causes))})
        orders = await self._execute(report, epoch)
        said = wishes.told if wishes else ""
        return outcome.model_copy(update={"skipped": failed, "decision": said, "orders": orders})

    async def _decide(self, number: int, blocked: str) -> tuple[str | None, DecisionBrief | None]:
        """Ask the model unless the bot may not enter; give (failure, decision)."""
        if not self._state.may_enter:
            return None, None
        if blocked:
            return f"nothing is entered: {blocked}", None
        try:
            decision = await self._steps.decide(number)
        except ActivityError as error:
            return cause_of(error), None
        passed_over = f" Before: {decision.passed_over}" if decision.passed_over else ""
        self._state.last_decision = f"{decision.summary} By {decision.model}.{passed_over}"
        return decision.failed, decision

    async def _validate(
        self, number: int, *, entries: bool, unseen: int | None = None
    ) -> RiskReport:
        closures = self._state.closures
        report = await self._steps.validate_risk(
            number, entries=entries and self._state.may_enter, unseen_due_ms=unseen
        )
        known = {order.id for order in report.orders}
        unfinished = self._state.unfinished.items()
        self._state.unfinished = {i: purpose for i, purpose in unfinished if i in known}
        self._state.last_verdicts = report.verdicts
        if report.refused:
            self._state.last_refusals, self._state.refused_in = report.refused, number
        self._state.positions = self._state.still_held(report.positions, closures)
        self._state.equity = report.equity
        self._state.unpriced = report.unpriced
        if report.halt and self._state.may_enter:
            self._halt(report.halt)
        return report

    async def _execute(self, report: RiskReport, epoch: int) -> tuple[OrderOutcome, ...]:
        """Execute exits, then entries while the control of `epoch` that allowed them holds."""
        exits_first = sorted(report.orders, key=lambda order: not order.purpose.is_exit)
        return tuple(
            [
                await self._execute_one(order)
                for order in exits_first
                if order.purpose.is_exit or self._state.epoch == epoch
            ]
        )

    async def _execute_one(self, order: OrderBrief) -> OrderOutcome:
        """Execute an order, unless its coin is being protected: that may take its time."""
        if self._state.is_protecting(order.symbol):
            return self._leave_alone(order)
        async with self._coins.lock(order.symbol):
            with self._state.executing(order.symbol):
                return await self._execute_alone(order)

    def _leave_alone(self, order: OrderBrief) -> OrderOutcome:
        """Leave an order to the protection of its coin, which ends what is under way."""
        if order.purpose.is_exit:
            self._state.unfinished[order.id] = order.purpose
        return OrderOutcome(
            order_id=order.id,
            symbol=order.symbol,
            purpose=order.purpose,
            state=OrderState.INTENDED,
            reason="left to the protection that is under way",
        )

    async def _execute_alone(self, order: OrderBrief) -> OrderOutcome:
        self._entry = None if order.purpose.is_exit else order
        try:
            outcome = await self._steps.execute_order(order)
        except ActivityError as error:
            outcome = OrderOutcome(
                order_id=order.id,
                symbol=order.symbol,
                purpose=order.purpose,
                state=OrderState.UNKNOWN,
                reason=cause_of(error),
            )
        finally:
            self._entry = None
        self._note_end_of(outcome)
        return outcome

    def _note_end_of(self, outcome: OrderOutcome) -> None:
        self._state.unfinished.pop(outcome.order_id, None)
        if not outcome.state.is_final:
            self._state.unfinished[outcome.order_id] = outcome.purpose
            self._look_soon()

    def _look_soon(self) -> None:
        """Have what is not known looked up, and an exit that was not sent sent, before the tick."""
        if not self._state.stepped:
            self._reconciling.ask()

    async def _close(self, outcome: CycleOutcome) -> TickReport:
        """Set the next tick and write the outcome down, now or with the next one."""
        state = self._state
        state.last_outcome = outcome
        state.last_error = f"cycle {outcome.cycle}: {outcome.skipped}" if outcome.skipped else ""
        state.last_due_ms = outcome.due_ms
        state.schedule_next()
        state.unwritten.append(outcome)
        await self._write()
        self.flattened_in_vain = state.closing_flat and not state.has_sold_all
        return TickReport(cycle=outcome.cycle, skipped=outcome.skipped)

    async def _write(self) -> None:
        outcomes, missed = len(self._state.unwritten), len(self._state.missed)
        closures = self._state.closures
        try:
            recorded = await self._steps.record_cycles()
        except ActivityError as error:
            self._state.open_positions = None
            self._state.last_error = f"not on record yet: {cause_of(error)}"
            return
        del self._state.unwritten[:outcomes], self._state.missed[:missed]
        self._state.equity = recorded.equity
        self._state.unpriced = recorded.unpriced
        self._state.unsellable = recorded.unsellable
        self._state.positions = self._state.still_held(recorded.positions, closures)
        self._state.open_positions = len(self._state.positions)

    async def write_until_done(self) -> None:
        """Write what is left before the bot ends, however long that takes."""
        if self._state.unwritten or self._state.missed:
            await self._steps.record_cycles(until_done=True)
            self._state.unwritten, self._state.missed = [], []
