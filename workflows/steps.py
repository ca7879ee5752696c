"""The activities a bot calls, each with its limits, policy and a summary for the Web UI."""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.control import ControlActivities
    from activities.decision import DecisionActivities
    from activities.execution import ExecutionActivities
    from activities.market import MarketActivities
    from activities.protection import ProtectionActivities
    from activities.reconciliation import ReconciliationActivities
    from activities.record import RecordActivities
    from activities.risk import RiskActivities
    from oxbot.domain.bot import Mode, RiskLimits
    from oxbot.domain.market import ClockReading
    from oxbot.messages import (
        CountHoldings,
        Decide,
        DecisionBrief,
        ExecuteOrder,
        Holdings,
        Observation,
        ObserveMarket,
        OpenRun,
        OrderBrief,
        OrderOutcome,
        Protect,
        ProtectPosition,
        ProtectReport,
        Reconcile,
        Reconciliation,
        RecordCycles,
        Recorded,
        RiskReport,
        RunGrant,
        SayOver,
        SayOverRequest,
        ValidateRisk,
        WriteControl,
        WriteLimits,
        WriteOffMissing,
        WriteOffRequest,
    )
    from workflows.limits import (
        A_PERSON_WAITS,
        AT_ONCE,
        HEARTBEAT_WITHIN,
        LONGEST_ATTEMPT,
        NOTICED_WITHIN,
        PROTECT_ATTEMPT,
        PROTECT_LIVE_ATTEMPT,
        SHORTEST,
        SHORTEST_ATTEMPT,
        UNTIL_DONE,
        WITHIN_THE_CYCLE,
        CycleLimits,
        StepLimits,
    )
    from workflows.state import BotState


class Steps:
    """Calls activities for one bot. All but control steps raise ActivityError at their limit."""

    def __init__(self, state: BotState) -> None:
        self._state = state

    async def open_run(self, cycles: int) -> RunGrant:
        """Reserve cycle numbers; retried until PostgreSQL grants them."""
        info = workflow.info()
        request = OpenRun(
            bot_id=self._state.bot_id,
            chain_id=info.first_execution_run_id,
            run_id=f"{info.run_id}/{self._state.next_cycle}",
            cycles=cycles,
        )
        return await workflow.execute_activity_method(
            ControlActivities.open_run,
            request,
            start_to_close_timeout=LONGEST_ATTEMPT,
            retry_policy=UNTIL_DONE,
            summary=f"reserve {cycles} cycle numbers",
        )

    async def write_control(self) -> int:
        """Put the control state on record, retried until done; give the epoch written."""
        state = self._state
        change = WriteControl(
            bot_id=state.bot_id,
            status=state.status,
            epoch=state.epoch,
            flatten=state.flatten,
            by=state.control_by,
            reason=state.control_reason,
        )
        await workflow.execute_activity_method(
            ControlActivities.write_control,
            change,
            start_to_close_timeout=LONGEST_ATTEMPT,
            retry_policy=UNTIL_DONE,
            summary=f"{change.status} (epoch {change.epoch})",
        )
        return change.epoch

    async def read_clock(self) -> ClockReading:
        """Read the venue's clock; retried until it answers."""
        return await workflow.execute_activity_method(
            MarketActivities.read_clock,
            start_to_close_timeout=LONGEST_ATTEMPT,
            retry_policy=UNTIL_DONE,
            summary="read the venue's clock",
        )

    async def observe_market(self, cycle: int, due_ms: int) -> Observation:
        """Look at the market for a cycle."""
        request = ObserveMarket(
            bot_id=self._state.bot_id,
            incarnation=self._state.incarnation,
            cycle=cycle,
            due_ms=due_ms,
        )
        return await workflow.execute_activity_method(
            MarketActivities.observe_market,
            request,
            **_config(self._limits().observe, f"cycle {cycle}: look at the market"),
        )

    async def decide(self, cycle: int) -> DecisionBrief:
        """Have the model decide."""
        config = _config(self._limits().decide, f"cycle {cycle}: decide")
        config["heartbeat_timeout"] = HEARTBEAT_WITHIN
        return await workflow.execute_activity_method(
            DecisionActivities.decide,
            Decide(bot_id=self._state.bot_id, cycle=cycle),
            **config,
        )

    async def validate_risk(
        self, cycle: int, *, entries: bool, unseen_due_ms: int | None = None
    ) -> RiskReport:
        """Judge positions and proposals; entries expire with the cycle."""
        state = self._state
        interval_ms = state.spec.interval_ms if state.spec else 0
        request = ValidateRisk(
            bot_id=state.bot_id,
            incarnation=state.incarnation,
            cycle=cycle,
            epoch=state.epoch,
            entries=entries,
            flatten=state.closing_flat,
            expires_ms=(state.due_ms or 0) + interval_ms,
            unseen_due_ms=unseen_due_ms,
        )
        return await workflow.execute_activity_method(
            RiskActivities.validate_risk,
            request,
            **_config(self._limits().validate, f"cycle {cycle}: validate"),
        )

    async def execute_order(self, order: OrderBrief) -> OrderOutcome:
        """Execute one intended order."""
        return await workflow.execute_activity_method(
            ExecutionActivities.execute_order,
            ExecuteOrder(bot_id=self._state.bot_id, order_id=order.id),
            **_noticed(self._limits().execute, _told(order)),
        )

    async def reconcile(self) -> Reconciliation:
        """Hold record and account against each other; coins somebody is at are left alone."""
        return await workflow.execute_activity_method(
            ReconciliationActivities.reconcile,
            self._to_reconcile(),
            **_noticed(self._limits().reconcile, "hold record and account against each other"),
        )

    async def write_off(self, wish: WriteOffRequest) -> Reconciliation:
        """Take what is gone from the account off the books, and prove what is left."""
        return await workflow.execute_activity_method(
            ReconciliationActivities.write_off,
            WriteOffMissing(reconcile=self._to_reconcile(), wish=wish),
            **_noticed(A_PERSON_WAITS, f"write off, for {wish.by}"),
        )

    async def say_over(self, wish: SayOverRequest) -> Reconciliation:
        """End what a person says to be over, and prove what is left."""
        return await workflow.execute_activity_method(
            ReconciliationActivities.say_over,
            SayOver(reconcile=self._to_reconcile(), wish=wish),
            **_noticed(A_PERSON_WAITS, f"say that {wish.order_id} is over, for {wish.by}"),
        )

    def _to_reconcile(self) -> Reconcile:
        state = self._state
        return Reconcile(
            bot_id=state.bot_id,
            incarnation=state.incarnation,
            cycle=state.next_cycle - 1,
            epoch=state.epoch,
            leave=state.busy,
        )

    async def protect(self, request: Protect) -> ProtectReport:
        """Close one position, retried until it is done."""
        state = self._state
        meant = ProtectPosition(
            bot_id=state.bot_id,
            incarnation=state.incarnation,
            cycle=state.next_cycle - 1,
            epoch=state.epoch,
            protect=request,
        )
        return await workflow.execute_activity_method(
            ProtectionActivities.protect,
            meant,
            start_to_close_timeout=self._protect_within(),
            heartbeat_timeout=NOTICED_WITHIN,
            retry_policy=AT_ONCE,
            summary=f"{request.purpose} of {request.symbol}",
        )

    async def holdings(self) -> Holdings:
        """Count what is held and under way, by the record."""
        return await workflow.execute_activity_method(
            ProtectionActivities.count_holdings,
            CountHoldings(bot_id=self._state.bot_id),
            **_config(StepLimits(SHORTEST_ATTEMPT, SHORTEST), "count what is held"),
        )

    async def change_limits(self, change: WriteLimits) -> RiskLimits:
        """Put changed limits on record, retried until PostgreSQL has them or refuses."""
        return await workflow.execute_activity_method(
            ControlActivities.change_limits,
            change,
            start_to_close_timeout=LONGEST_ATTEMPT,
            retry_policy=UNTIL_DONE,
            summary=f"limits: {', '.join(sorted(change.limits))}",
        )

    async def record_cycles(self, *, until_done: bool = False) -> Recorded:
        """Write down everything that is not on record yet; at the end without a limit."""
        request = RecordCycles(
            bot_id=self._state.bot_id,
            now_ms=self._state.venue_now(workflow.time_ns() // 1_000_000),
            outcomes=tuple(self._state.unwritten),
            missed=tuple(self._state.missed),
        )
        return await workflow.execute_activity_method(
            RecordActivities.record_cycles,
            request,
            **(_UNLIMITED if until_done else _config(self._limits().record, "record the cycle")),
        )

    def _protect_within(self) -> timedelta:
        spec = self._state.spec
        return PROTECT_LIVE_ATTEMPT if spec and spec.mode == Mode.LIVE else PROTECT_ATTEMPT

    def _limits(self) -> CycleLimits:
        """Derive the limits from the wall time between two ticks."""
        spec, clock = self._state.spec, self._state.clock
        interval_ms = spec.interval_ms if spec else 0
        rate = clock.rate if clock and clock.rate else 1
        interval = timedelta(milliseconds=int(interval_ms / rate))
        live = bool(spec and spec.mode == Mode.LIVE)
        return CycleLimits.of(interval, live=live, driven=self._state.stepped)


_UNLIMITED = workflow.ActivityConfig(
    start_to_close_timeout=LONGEST_ATTEMPT, retry_policy=UNTIL_DONE, summary="record what is left"
)


def _config(limits: StepLimits, summary: str) -> workflow.ActivityConfig:
    return workflow.ActivityConfig(
        start_to_close_timeout=limits.start_to_close,
        schedule_to_close_timeout=limits.schedule_to_close,
        retry_policy=WITHIN_THE_CYCLE,
        summary=summary,
    )


def _noticed(limits: StepLimits, summary: str) -> workflow.ActivityConfig:
    """Give what an order can be under way in."""
    config = _config(limits, summary)
    config["heartbeat_timeout"] = NOTICED_WITHIN
    return config


def _told(order: OrderBrief) -> str:
    return f"{order.purpose}: {order.side} {order.quantity} {order.symbol}"
