"""What a bot's workflow remembers, carried whole from run to run."""

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import BaseModel, Field, PrivateAttr

from oxbot.domain.bot import BotStatus, RiskLimits
from oxbot.domain.market import ClockReading
from oxbot.domain.money import Notional, plain
from oxbot.domain.orders import Purpose
from oxbot.domain.schedule import next_due, offset_ms
from oxbot.messages import (
    BotView,
    CycleOutcome,
    Missed,
    PositionBrief,
    Protect,
    ProtectReport,
    RunGrant,
    RunSpec,
    WriteLimits,
)

ROLL_AFTER = 60
"""Cycles a run lasts: short histories replay quickly."""


class BotState(BaseModel):
    """Control state only. Times in venue ms, amounts in USDT.

    `epoch` counts control changes and `written_epoch` is the last one on record. `overtaken`
    gathers ticks that passed unused until a cycle sees the market again and can name the
    cause. `open_positions` is None where it is not known. `unfinished` are orders whose end
    is not known, with their purpose. `unpriced` are coins that `equity` holds without a price:
    positions at cost, dust at nothing. `unsellable` are those of which too little is held to be
    sold, so that no bot waits for that. `session` names the run of the whole system that the bot
    last knew; empty for a bot that starts over. `restart_untold` holds back the news of a
    restart until the ticks that it cost are known. `sell_on`: a person had everything sold, and
    something was left. `protections` are those not done yet,
    `limit_changes` those not on record yet. `refused_in` is the cycle of `last_refusals`.
    `account_differs` says why a live bot enters nothing.
    """

    bot_id: str
    roll_after: int = ROLL_AFTER

    incarnation: int = 0
    spec: RunSpec | None = None
    clock: ClockReading | None = None
    session: str | None = None
    restart_untold: bool = False
    next_cycle: int = 1
    last_reserved: int = 0

    status: BotStatus = BotStatus.RUNNING
    flatten: bool = True
    sell_on: bool = False
    epoch: int = 0
    written_epoch: int = 0
    control_by: str = ""
    control_reason: str = ""

    due_ms: int | None = None
    last_due_ms: int | None = None
    overtaken: Missed | None = None
    unwritten: list[CycleOutcome] = Field(default_factory=list)
    missed: list[Missed] = Field(default_factory=list)

    open_positions: int | None = None
    unfinished: dict[str, Purpose] = Field(default_factory=dict)
    protections: list[Protect] = Field(default_factory=list)
    limit_changes: list[WriteLimits] = Field(default_factory=list)
    equity: Notional | None = None
    positions: tuple[PositionBrief, ...] = ()
    unpriced: tuple[str, ...] = ()
    unsellable: tuple[str, ...] = ()
    last_outcome: CycleOutcome | None = None
    last_decision: str = ""
    last_verdicts: tuple[str, ...] = ()
    last_refusals: tuple[str, ...] = ()
    refused_in: int = 0
    last_protection: str = ""
    last_error: str = ""
    account_differs: str = ""

    _closed: list[str] = PrivateAttr(default_factory=list)
    _booked: int = PrivateAttr(default=0)
    _executing: list[str] = PrivateAttr(default_factory=list)

    @property
    def is_flat(self) -> bool:
        """Whether it is known that nothing is held and nothing is under way."""
        return self.open_positions == 0 and not self.unfinished

    @property
    def has_sold_all(self) -> bool:
        """Whether it is known that nothing is under way, or held that can be sold."""
        if self.open_positions is None or self.unfinished:
            return False
        held = {position.symbol for position in self.positions}
        return self.is_flat or (bool(held) and held <= set(self.unsellable))

    @property
    def limits(self) -> RiskLimits | None:
        """The bot's limits; None before it knows them."""
        return self.spec.limits if self.spec else None

    def know_limits(self, limits: RiskLimits) -> None:
        """Take over limits that are on record."""
        known = {"limits": limits, "longest_hold_s": limits.longest_hold_s}
        self.spec = self.spec and self.spec.model_copy(update=known)

    @property
    def may_enter(self) -> bool:
        """Whether new positions are wanted."""
        return self.status is BotStatus.RUNNING

    @property
    def closing_flat(self) -> bool:
        """Whether everything is to be sold now."""
        if self.status is BotStatus.PAUSED:
            return self.sell_on and not self.has_sold_all
        return self.status is BotStatus.CLOSING and (self.flatten or self.sell_on)

    @property
    def stepped(self) -> bool:
        """Whether ticks come from a driver instead of timers."""
        return self.clock is not None and self.clock.stepped

    def venue_now(self, wall_ms: int) -> int:
        """Estimate the venue's time (ms) from the last reading of its clock; 0 before any."""
        return self.clock.venue_at(wall_ms) if self.clock else 0

    def change(self, status: BotStatus, by: str, reason: str) -> None:
        """Take a new control status under a new epoch."""
        self.status = status
        self.epoch += 1
        self.control_by = by
        self.control_reason = reason

    def adopt(self, grant: RunGrant) -> None:
        """Take over what PostgreSQL grants: numbers, settings, clock, and control at first."""
        self.next_cycle = grant.first_cycle
        self.last_reserved = grant.first_cycle + grant.cycles - 1
        self.spec = grant.spec
        self.clock = grant.clock
        if self.incarnation != grant.incarnation:
            self._begin_life(grant)

    def _begin_life(self, grant: RunGrant) -> None:
        self.incarnation = grant.incarnation
        self.session = grant.session if grant.last_due_ms is None else ""
        self.open_positions = grant.open_positions
        self.unfinished = dict(grant.unfinished)
        self.positions = grant.positions
        asked_already = self.epoch
        if not asked_already:
            self.status = grant.status
            self.flatten = grant.flatten
        self.epoch += grant.epoch
        self.written_epoch = grant.epoch
        self.last_due_ms = grant.last_due_ms
        self.schedule_next()

    @property
    def bookings(self) -> int:
        """How often in this run something was booked that no cycle knows of."""
        return self._booked

    def note_booked(self) -> None:
        """Something was booked beside the cycles: what is held is not known before the next one."""
        self._booked += 1
        self.open_positions = None

    @property
    def closures(self) -> int:
        """How many positions protections have closed in this run."""
        return len(self._closed)

    def is_protecting(self, symbol: str) -> bool:
        """Whether a coin's position is being closed, or is about to be."""
        return any(protection.symbol == symbol for protection in self.protections)

    @contextmanager
    def executing(self, symbol: str) -> Iterator[None]:
        """Have others leave a coin alone while an order of it is executed."""
        self._executing.append(symbol)
        try:
            yield
        finally:
            self._executing.remove(symbol)

    @property
    def busy(self) -> tuple[str, ...]:
        """Coins that a protection or an execution is at."""
        protected = (protection.symbol for protection in self.protections)
        return tuple(sorted({*protected, *self._executing}))

    def note_protection(self, request: Protect, report: ProtectReport) -> None:
        """Take over what a protection came to, so that no cycle is needed to know it."""
        self.protections = [known for known in self.protections if known.key != request.key]
        ended = [self.unfinished.pop(order_id, None) for order_id in report.order_ids]
        told = f" at {plain(report.price)}" if report.price else ""
        because = f": {report.reason}" if report.reason else ""
        self.last_protection = (
            f"{request.purpose} of {request.symbol} {report.state}{told}{because}"
        )
        if report.state == "closed":
            self._closed.append(request.symbol)
            held = self.still_held(self.positions, self.closures - 1)
            sold = len(self.positions) - len(held)
            self.positions = held
            self.open_positions = self.open_positions and max(0, self.open_positions - sold)
        elif Purpose.ENTRY in ended:
            self.note_booked()

    def still_held(
        self, positions: tuple[PositionBrief, ...], closures: int
    ) -> tuple[PositionBrief, ...]:
        """Give positions as somebody read them when there were so many closures."""
        gone = self._closed[closures:]
        return tuple(position for position in positions if position.symbol not in gone)

    def schedule_next(self) -> None:
        """Set the next tick: after the last one, or after now where there was none."""
        if self.spec is None or self.clock is None:
            return
        after = self.clock.venue_ms if self.last_due_ms is None else self.last_due_ms
        interval = self.spec.interval_ms
        self.due_ms = next_due(after, interval, offset_ms(self.bot_id, interval))

    def overtake(self, ticks: int, until_ms: int) -> None:
        """Note ticks that passed unused, and move on to the latest one that is due."""
        if self.due_ms is None or self.spec is None or not ticks:
            return
        known = self.overtaken
        self.overtaken = Missed(
            ticks=ticks + (known.ticks if known else 0),
            from_ms=known.from_ms if known else self.due_ms,
            until_ms=until_ms,
            cause="late",
        )
        self.due_ms += ticks * self.spec.interval_ms

    def explain_overtaken(self, session: str | None) -> None:
        """Name the cause of unused ticks, now that it can be known; a restart is told once.

        A step that was under way during the restart sees the new session before the ticks that
        passed meanwhile are counted, so the news waits for the next cycle.
        """
        held_back = self.restart_untold
        restarted = held_back or self._is_restart(session)
        self.session = session or self.session
        found, self.overtaken = self.overtaken, None
        self.restart_untold = restarted and not held_back and not found and self._is_overdue()
        if self.restart_untold:
            return
        if restarted and found is None and self.due_ms is not None:
            found = Missed(ticks=0, from_ms=self.due_ms, until_ms=self.due_ms, cause="")
        if found is not None:
            cause = "the system was restarted" if restarted else "the bot was late"
            self.missed.append(found.model_copy(update={"cause": cause}))

    def _is_restart(self, session: str | None) -> bool:
        return self.session is not None and session is not None and session != self.session

    def _is_overdue(self) -> bool:
        """Whether the tick after the one that is due has come as well."""
        if self.due_ms is None or self.clock is None or self.spec is None:
            return False
        return self.clock.venue_ms >= self.due_ms + self.spec.interval_ms

    def view(self, in_flight: tuple[str, ...]) -> BotView:
        """Describe the bot for people and programs."""
        return BotView(
            bot_id=self.bot_id,
            status=self.status,
            incarnation=self.incarnation,
            epoch=self.epoch,
            cycle=self.next_cycle - 1,
            next_due_ms=self.due_ms,
            last_outcome=self.last_outcome,
            equity=self.equity,
            positions=self.positions,
            in_flight=in_flight,
            unwritten=len(self.unwritten),
            stepped=self.stepped,
        )
