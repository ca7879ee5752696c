"""The record in memory: control, numbers, snapshots, cycles and decisions."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from oxbot.domain.allowance import NOT_MADE, PLAINLY, Asked
from oxbot.domain.balances import must_be_free
from oxbot.domain.bot import Bot, BotSettings, BotStatus, RiskLimits
from oxbot.domain.errors import Conflict, NotFound
from oxbot.domain.lifecycle import WITHOUT_FILL
from oxbot.domain.limits import limits_after
from oxbot.domain.market import MarketPart, PartKey
from oxbot.domain.money import Notional
from oxbot.domain.orders import Purpose
from oxbot.domain.risk import Marks
from oxbot.domain.snapshots import Snapshot
from oxbot.messages import CycleOutcome, Missed, WriteControl, WriteLimits
from oxbot.records import (
    CycleRow,
    CycleStart,
    DecisionRecord,
    EventRow,
    Facts,
    Lately,
    RunReservation,
)
from tests.support.fake_questions import FakeQuestions


@dataclass(frozen=True)
class Block:
    """Cycle numbers as they were granted to a run."""

    bot_id: str
    chain_id: str
    run_id: str
    incarnation: int
    first_cycle: int
    cycles: int


class FakeStore(FakeQuestions):
    """Keeps the same promises as the database, for as long as the test lasts.

    `control` holds every write of control that took effect, `outcomes` every cycle by number,
    `missed` and `equity` what was recorded with them, `blocks` the numbers granted.
    """

    def __init__(self) -> None:
        super().__init__()
        self.control: list[WriteControl] = []
        self.blocks: list[Block] = []
        self.limits: dict[tuple[str, int], RiskLimits] = {}
        self.outcomes: dict[tuple[str, int], CycleOutcome] = {}
        self.missed: list[Missed] = []
        self.equity_points: dict[tuple[str, int], Notional] = {}
        self.fresh_points: list[tuple[str, int, Notional]] = []
        self.high_water: dict[str, Notional] = {}
        self.digests: dict[str, str | None] = {}
        self.alarms: dict[tuple[str, str], str] = {}
        self.grant_at_most = 10**9
        self._snapshots: dict[str, Snapshot] = {}
        self._parts: dict[PartKey, MarketPart] = {}
        self._unseen: set[tuple[str, int]] = set()
        self._events: list[tuple[str, EventRow]] = []

    async def create_bot(
        self,
        bot_id: str,
        settings: BotSettings,
        created_ms: int,
        free: Decimal | None = None,
        asked: Asked = PLAINLY,
    ) -> Bot:
        """Insert a running bot; Conflict if the id is taken, InputError if its capital is."""
        if asked.allowance is not None:
            mine = [b for b in self.bots_by_id.values() if b.settings.owner == settings.owner]
            asked.allowance.must_have_room(len(mine), NOT_MADE)
        if free is not None:
            claimed = (await self.claims(settings.venue)).cash
            must_be_free(free, claimed, settings.capital)
        if bot_id in self.bots_by_id:
            raise Conflict(f"There is a bot {bot_id} already.")
        bot = Bot(
            id=bot_id,
            settings=settings,
            status=BotStatus.RUNNING,
            epoch=1,
            incarnation=0,
            created_ms=created_ms,
        )
        self.bots_by_id[bot_id] = bot
        self.digests[bot_id] = asked.digest
        self.cash[bot_id] = self.high_water[bot_id] = settings.capital
        return bot

    async def bot(self, bot_id: str) -> Bot:
        """Give a bot; NotFound."""
        if bot_id not in self.bots_by_id:
            raise NotFound(f"There is no bot {bot_id}.")
        return self.bots_by_id[bot_id]

    async def bots(self, owner: str | None = None) -> list[Bot]:
        """Give all bots, oldest first."""
        return [b for b in self.bots_by_id.values() if owner in (None, b.settings.owner)]

    async def live_bots(self) -> list[str]:
        """Give the ids of the bots that are not stopped, oldest first."""
        return [b.id for b in self.bots_by_id.values() if b.status is not BotStatus.STOPPED]

    async def watched_symbols(self, venue: str) -> list[str]:
        """Give what bots of a venue that are not stopped trade or hold, sorted."""
        alive = [
            bot
            for bot in self.bots_by_id.values()
            if bot.settings.venue == venue and bot.status is not BotStatus.STOPPED
        ]
        held = {symbol for bot in alive for symbol in (await self.portfolio(bot.id)).positions}
        return sorted(held.union(*(bot.settings.symbols for bot in alive)))

    async def write_control(self, change: WriteControl) -> None:
        """Store status and epoch unless a newer epoch is stored."""
        bot = await self.bot(change.bot_id)
        if bot.epoch > change.epoch:
            return
        self.control.append(change)
        if (bot.status, change.status) == (BotStatus.PAUSED, BotStatus.RUNNING):
            self.high_water.pop(bot.id, None)
        changed = {"status": change.status, "epoch": change.epoch, "flatten": change.flatten}
        self.bots_by_id[bot.id] = bot.model_copy(update=changed)
        self._tell(bot.id, change.status, f"by {change.by}: {change.reason}")

    async def change_limits(self, change: WriteLimits) -> RiskLimits:
        """Store changed limits, once per epoch."""
        bot = await self.bot(change.bot_id)
        known = self.limits.get((bot.id, change.epoch))
        if known is not None:
            return bot.settings.limits
        worth = max(bot.settings.capital, (await self.portfolio(bot.id)).equity({}))
        after = limits_after(bot.settings.limits, change.limits, worth)
        self.limits[bot.id, change.epoch] = after
        settings = bot.settings.model_copy(update={"limits": after})
        raised = {"settings": settings, "epoch": max(bot.epoch, change.epoch)}
        self.bots_by_id[bot.id] = bot.model_copy(update=raised)
        self._tell(bot.id, "limits", f"by {change.by}: {change.reason}")
        return after

    async def raise_alarm(self, bot_id: str, key: str, text: str) -> Bot:
        """Pause a bot under a raised epoch and tell why, once per key, as the port says."""
        bot = await self.bot(bot_id)
        if (bot_id, key) in self.alarms:
            return bot
        self.alarms[bot_id, key] = text
        closing = bot.status is BotStatus.CLOSING
        status = BotStatus.CLOSING if closing else BotStatus.PAUSED
        raised = bot.model_copy(update={"status": status, "epoch": bot.epoch + 1})
        self.bots_by_id[bot_id] = raised
        self._tell(bot_id, "alarm", text)
        return raised

    async def reserve_cycles(
        self, bot_id: str, chain_id: str, run_id: str, cycles: int
    ) -> RunReservation:
        """Reserve a block of cycle numbers, once per run id; a new chain is a new incarnation."""
        mine = [block for block in self.blocks if block.bot_id == bot_id]
        block = next((block for block in mine if block.run_id == run_id), None)
        if block is None:
            block = Block(
                bot_id=bot_id,
                chain_id=chain_id,
                run_id=run_id,
                incarnation=await self._incarnation(bot_id, chain_id, mine),
                first_cycle=max((b.first_cycle + b.cycles for b in mine), default=1),
                cycles=min(cycles, self.grant_at_most),
            )
            self.blocks.append(block)
        recorded = [number for known, number in self.outcomes if known == bot_id]
        last = self.outcomes[bot_id, max(recorded)].due_ms if recorded else None
        return RunReservation(
            incarnation=block.incarnation,
            first_cycle=block.first_cycle,
            cycles=block.cycles,
            last_due_ms=last,
        )

    async def _incarnation(self, bot_id: str, chain_id: str, mine: list[Block]) -> int:
        known = [block.incarnation for block in mine if block.chain_id == chain_id]
        if known:
            return known[0]
        bot = await self.bot(bot_id)
        raised = bot.incarnation + 1
        self.bots_by_id[bot_id] = bot.model_copy(update={"incarnation": raised})
        return raised

    async def snapshot(self, snapshot_id: str) -> Snapshot:
        """Give a snapshot; NotFound."""
        if snapshot_id not in self._snapshots:
            raise NotFound(f"There is no snapshot {snapshot_id}.")
        return self._snapshots[snapshot_id]

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keep a snapshot."""
        self._snapshots.setdefault(snapshot.id, snapshot)

    async def parts(self, keys: Collection[PartKey]) -> dict[PartKey, MarketPart]:
        """Give the market parts that were made."""
        return {key: self._parts[key] for key in keys if key in self._parts}

    async def save_parts(self, parts: Sequence[MarketPart]) -> list[MarketPart]:
        """Keep market parts; of those where another worker was first, its parts are returned."""
        return [self._parts.setdefault(part.key, part) for part in parts]

    async def begin_cycle(self, start: CycleStart) -> CycleStart:
        """Open a cycle; one already begun keeps and returns what it saw first."""
        key = (start.bot_id, start.cycle)
        given_up = key in self.outcomes or key in self._unseen
        if given_up and key not in self._starts:
            raise Conflict(f"Cycle {start.cycle} was given up before.")
        return self._starts.setdefault(key, start)

    async def open_unseen_cycle(
        self,
        bot_id: str,
        incarnation: int,  # noqa: ARG002 - the port's
        cycle: int,
        due_ms: int,  # noqa: ARG002 - the port's
    ) -> None:
        """Open a cycle that saw nothing; one that exists stays."""
        self._unseen.add((bot_id, cycle))

    async def cycle(self, bot_id: str, cycle: int) -> CycleStart:
        """Give what a cycle saw; NotFound."""
        if (bot_id, cycle) not in self._starts:
            raise NotFound(f"Cycle {cycle} of {bot_id} saw nothing.")
        return self._starts[bot_id, cycle]

    async def decision(self, bot_id: str, cycle: int) -> DecisionRecord | None:
        """Give a cycle's decision, if it has one."""
        return self._decisions.get((bot_id, cycle))

    async def save_decision(
        self, record: DecisionRecord, facts: Facts | None = None
    ) -> DecisionRecord:
        """Keep a cycle's only decision with its facts; if one is stored, that one is returned."""
        self.facts.setdefault((record.bot_id, record.cycle), facts)
        return self._decisions.setdefault((record.bot_id, record.cycle), record)

    async def model_cost(self, bot_id: str, since_ms: int) -> tuple[Decimal, Decimal]:  # noqa: ARG002 - all is of today
        """Give what the models of a bot, and of all bots, cost."""
        costs = [(known, record.cost_usd) for (known, _), record in self._decisions.items()]
        own = sum((cost for known, cost in costs if known == bot_id), Decimal(0))
        return own, sum((cost for _, cost in costs), Decimal(0))

    async def lately(self, bot_id: str, cycle: int) -> Lately | None:
        """Give what happened since the last decision before this cycle."""
        decided = [
            n
            for (known, n), r in self._decisions.items()
            if known == bot_id and n < cycle and r.asked
        ]
        if not decided:
            return None
        since = max(decided)
        said = [await self.verdicts(bot_id, number) for number in range(since, cycle)]
        due_ms = self._starts[bot_id, since].due_ms
        closed = [trade for trade in await self.trades(bot_id, 99) if trade.closed_ms >= due_ms]
        return Lately(
            cycle=since,
            verdicts=tuple(verdict for verdicts in said for verdict in verdicts),
            trades=tuple(reversed(closed)),
            unfilled={
                order.symbol: order.reason
                for order in self._orders_of(bot_id)
                if order.state in WITHOUT_FILL
                and order.purpose is Purpose.ENTRY
                and since <= order.cycle < cycle
            },
        )

    async def record_cycles(
        self,
        bot_id: str,
        outcomes: Sequence[CycleOutcome],
        missed: Sequence[Missed],
        equity: Mapping[str, Notional],
        *,
        fresh: bool = False,
    ) -> None:
        """Close cycles with their outcome; repeatable."""
        for outcome in outcomes:
            if fresh and (bot_id, outcome.cycle) not in self.equity_points:
                self._raise_mark(bot_id, outcome.due_ms, equity["equity"])
            self.outcomes.setdefault((bot_id, outcome.cycle), outcome)
            self.equity_points.setdefault((bot_id, outcome.cycle), equity["equity"])
        for gap in missed:
            if gap not in self.missed:
                self.missed.append(gap)
                self._tell(bot_id, "ticks_missed", f"{gap.ticks}: {gap.cause}")

    def _raise_mark(self, bot_id: str, at_ms: int, equity: Notional) -> None:
        self.fresh_points.append((bot_id, at_ms, equity))
        self.high_water[bot_id] = max(equity, self.high_water.get(bot_id, equity))

    async def marks(self, bot_id: str, midnight_ms: int) -> Marks:
        """Give what equity is measured against."""
        mine = [(at_ms, equity) for known, at_ms, equity in self.fresh_points if known == bot_id]
        before = [equity for at_ms, equity in mine if at_ms < midnight_ms]
        since = [equity for at_ms, equity in mine if at_ms >= midnight_ms]
        return Marks(
            day_start=before[-1] if before else self.bots_by_id[bot_id].settings.capital,
            day_lowest=min(since, default=None),
            high_water=self.high_water.get(bot_id),
        )

    async def equity(self, bot_id: str) -> Notional | None:
        """Give equity as of the newest cycle that was recorded."""
        mine = {n: amount for (known, n), amount in self.equity_points.items() if known == bot_id}
        return mine[max(mine)] if mine else None

    async def cycles(self, bot_id: str, limit: int) -> list[CycleRow]:
        """Give the last cycles, newest first."""
        mine = sorted((n for known, n in self.outcomes if known == bot_id), reverse=True)
        return [self._cycle_row(bot_id, number) for number in mine[:limit]]

    def _cycle_row(self, bot_id: str, number: int) -> CycleRow:
        outcome = self.outcomes[bot_id, number]
        return CycleRow(
            cycle=number,
            incarnation=outcome.incarnation,
            due_ms=outcome.due_ms,
            state="skipped" if outcome.skipped else "completed",
            skipped=outcome.skipped,
            decision=outcome.decision,
            orders=len(outcome.orders),
            equity=self.equity_points.get((bot_id, number)),
            recorded_ms=outcome.due_ms,
        )

    async def events(self, bot_id: str, limit: int) -> list[EventRow]:
        """Give the last events, newest first."""
        return [event for known, event in reversed(self._events) if known == bot_id][:limit]

    def _tell(self, bot_id: str, kind: str, text: str) -> None:
        at_ms = time.time_ns() // 1_000_000
        self._events.append((bot_id, EventRow(kind=kind, text=text, at_ms=at_ms)))
