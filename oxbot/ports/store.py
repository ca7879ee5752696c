"""The record."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from oxbot.domain.account import Account
from oxbot.domain.allowance import PLAINLY, Asked
from oxbot.domain.bot import Bot, BotSettings, RiskLimits
from oxbot.domain.decision import DecisionCounts
from oxbot.domain.market import Instrument, MarketPart, PartKey
from oxbot.domain.memory import Memory
from oxbot.domain.money import Notional
from oxbot.domain.orders import Fill, Order, OrderState
from oxbot.domain.portfolio import Portfolio
from oxbot.domain.risk import Marks, Verdict
from oxbot.domain.snapshots import Snapshot
from oxbot.messages import (
    CycleOutcome,
    Missed,
    OrderOutcome,
    WriteControl,
    WriteLimits,
)
from oxbot.ports.live import LiveStore
from oxbot.ports.protection import ProtectionStore
from oxbot.records import (
    AuditFigures,
    CycleRow,
    CycleStart,
    DecisionRecord,
    EventRow,
    ExitIntent,
    ExitView,
    Facts,
    Judge,
    LastQuestion,
    Lately,
    OrderRow,
    RunReservation,
    TradeRow,
)


class Store(ProtectionStore, LiveStore, Protocol):
    """The record. Each method is one transaction."""

    async def create_bot(
        self,
        bot_id: str,
        settings: BotSettings,
        created_ms: int,
        free: Decimal | None = None,
        asked: Asked = PLAINLY,
    ) -> Bot:
        """Insert a running bot with its capital as first posting; Conflict if the id is taken.

        `free` is what a live bot's account has free, in USDT: InputError where the live bots of
        the venue have too much of it by now. Conflict or Forbidden where whoever `asked` for it
        may not have it.
        """
        ...

    async def bot(self, bot_id: str) -> Bot:
        """Give a bot; NotFound."""
        ...

    async def bots(self, owner: str | None = None) -> list[Bot]:
        """Give all bots, oldest first."""
        ...

    async def live_bots(self) -> list[str]:
        """Give the ids of the bots that are not stopped, oldest first."""
        ...

    async def watched_symbols(self, venue: str) -> list[str]:
        """Give what bots of a venue that are not stopped trade or hold, sorted."""
        ...

    async def write_control(self, change: WriteControl) -> None:
        """Store status and epoch unless a newer epoch is stored; adds an event when it changed."""
        ...

    async def change_limits(self, change: WriteLimits) -> RiskLimits:
        """Store changed limits with the raised epoch and an event; give them as they are then.

        The same epoch changes them once. InputError where they cannot be; nothing is stored.
        """
        ...

    async def raise_alarm(self, bot_id: str, key: str, text: str) -> Bot:
        """Pause a bot under a raised epoch and tell why, once per key; give the bot as it is.

        One that is closing stays so.
        """
        ...

    async def reserve_cycles(
        self, bot_id: str, chain_id: str, run_id: str, cycles: int
    ) -> RunReservation:
        """Reserve a block of cycle numbers, once per run id; a new chain is a new incarnation."""
        ...

    async def snapshot(self, snapshot_id: str) -> Snapshot:
        """Give a snapshot with its parts; NotFound."""
        ...

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keep which parts a snapshot consists of; its parts are kept before. Repeatable."""
        ...

    async def parts(self, keys: Collection[PartKey]) -> dict[PartKey, MarketPart]:
        """Give the market parts that were made."""
        ...

    async def save_parts(self, parts: Sequence[MarketPart]) -> list[MarketPart]:
        """Keep market parts; of those where another worker was first, its parts are returned."""
        ...

    async def begin_cycle(self, start: CycleStart) -> CycleStart:
        """Open a cycle's row; a cycle already begun keeps and returns what it saw first."""
        ...

    async def open_unseen_cycle(
        self, bot_id: str, incarnation: int, cycle: int, due_ms: int
    ) -> None:
        """Open the row of a cycle that saw nothing of the market; one that exists stays."""
        ...

    async def cycle(self, bot_id: str, cycle: int) -> CycleStart:
        """Give what a cycle saw; NotFound."""
        ...

    async def decision(self, bot_id: str, cycle: int) -> DecisionRecord | None:
        """Give a cycle's decision, if it has one."""
        ...

    async def save_decision(
        self, record: DecisionRecord, facts: Facts | None = None
    ) -> DecisionRecord:
        """Keep a cycle's only decision with its facts; if one is stored, that one is returned."""
        ...

    async def last_question(self, bot_id: str, cycle: int) -> LastQuestion | None:
        """Give the last question asked before this cycle, with what it showed; None without."""
        ...

    async def decision_counts(self, since_ms: int, bot_id: str | None = None) -> DecisionCounts:
        """Count what came of the cycles of one bot or of all since a wall time."""
        ...

    async def portfolio(self, bot_id: str) -> Portfolio:
        """Give cash, reserved cash, positions and dust."""
        ...

    async def model_cost(self, bot_id: str, since_ms: int) -> tuple[Decimal, Decimal]:
        """Give what the models of a bot, and of all bots, cost since a wall time, in USD."""
        ...

    async def judged(self, bot_id: str, cycle: int) -> bool:
        """Tell whether a cycle's verdicts are stored."""
        ...

    async def judge_cycle(self, bot_id: str, cycle: int, judge: Judge, *, entering: bool) -> None:
        """Have a cycle judged, and store verdicts and intended orders, all under locks.

        The bot's row is locked, and where entries may follow (`entering`) that of the account:
        `judge` is given what the account's other bots have, and none of them can
        intend an entry before this one's are stored.

        What the judgement rests on is kept, too. Conflict when the cycle was judged before, or
        when an intended order's coin already has an order under way; nothing is stored then.
        """
        ...

    async def account(self, bot_id: str) -> Account:
        """Give what the account's other bots have now, those stopped left out."""
        ...

    async def marks(self, bot_id: str, midnight_ms: int) -> Marks:
        """Give what equity is measured against; `midnight_ms` is when the venue's day began."""
        ...

    async def verdicts(self, bot_id: str, cycle: int) -> list[Verdict]:
        """Give a cycle's verdicts."""
        ...

    async def exit_view(self, bot_id: str, symbol: str, order_id: str) -> ExitView:
        """Give what closing a bot's coin rests on, and the order of this id; NotFound."""
        ...

    async def intend_exit(self, order: Order, version: int) -> ExitIntent | None:
        """Write an exit down as sent while its position is at this version.

        Intended and claimed by one step: for the caller to send. None: the position is gone or
        has another version. An order already under way for the coin is given instead, and so is
        one of the same id; neither is the caller's to send.
        """
        ...

    async def tell_order(self, bot_id: str, cycle: int, outcome: OrderOutcome) -> None:
        """Tell once that an order was filled; `cycle` is the last one before it."""
        ...

    async def lately(self, bot_id: str, cycle: int) -> Lately | None:
        """Give what happened since the last decision before this cycle; None without one."""
        ...

    async def memory(self, bot_id: str, cycle: int) -> Memory:
        """Give the last trades and open positions with their reasons, and costs so far.

        Of the models' costs those of the cycles before this one.
        """
        ...

    async def unfinished_orders(self, bot_id: str) -> list[Order]:
        """Give the bot's orders that are not final, oldest first."""
        ...

    async def flat_among(self, bot_ids: Collection[str]) -> list[str]:
        """Give which of these bots hold nothing and have nothing under way; dust does not count."""
        ...

    async def order(self, order_id: str) -> Order:
        """Give an order; NotFound."""
        ...

    async def claim(self, order_id: str, now_ms: int, fence_ms: int | None = None) -> bool:
        """Move intended → sent by compare-and-set; only the winner may send.

        `fence_ms` is kept: until then (venue time) the exchange takes what the winner sends, and
        nobody can know that it was not taken.

        An entry is only claimed while its bot is running, its epoch is unchanged and it has
        not expired (venue time); an exit, while so much is held.
        """
        ...

    async def release(self, order: Order) -> Order:
        """Move sent → intended, for a claim of which certainly nothing reached the venue.

        One that is no longer as it is known here, by its state and its claim's fence, is left as
        it is: another attempt has claimed it anew. Gives the order as stored.
        """
        ...

    async def finish_order(self, order: Order, state: OrderState, reason: str) -> Order:
        """Close an order without a fill; one that is no longer as it is known here is left.

        Gives it as stored.
        """
        ...

    async def settle(
        self,
        order_id: str,
        fills: Sequence[Fill],
        instrument: Instrument,
        *,
        is_late: bool = False,
        claim: Order | None = None,
    ) -> Order:
        """Book fills, position, ledger, trade and order state in one transaction.

        Under the bot's row lock; a fill already booked (by trade id) is left as it is.
        Where the order is no longer as its `claim` has left it, nothing is booked.
        Of an order that was over on record (`is_late`), what an exit has sold beyond what the bot
        had is told once, and not booked.
        """
        ...

    async def fills(self, order_id: str) -> list[Fill]:
        """Give an order's fills."""
        ...

    async def entries_since(self, bot_id: str, since_ms: int) -> int:
        """Count filled entries since a venue time."""
        ...

    async def last_exits(self, bot_id: str) -> dict[str, int]:
        """Give for each coin the venue time of its last exit."""
        ...

    async def record_cycles(
        self,
        bot_id: str,
        outcomes: Sequence[CycleOutcome],
        missed: Sequence[Missed],
        equity: Mapping[str, Notional],
        *,
        fresh: bool = False,
    ) -> None:
        """Close cycles with their outcome, add events and the equity point; repeatable.

        `fresh`: all prices were young enough, so that losses may be measured by this equity;
        then the high-water mark rises with it.
        """
        ...

    async def equity(self, bot_id: str) -> Notional | None:
        """Give equity (USDT) as of the newest cycle that was recorded; None before the first."""
        ...

    async def cycles(self, bot_id: str, limit: int) -> list[CycleRow]:
        """Give the last cycles, newest first."""
        ...

    async def orders(self, bot_id: str, limit: int) -> list[OrderRow]:
        """Give the last orders with what they filled, newest first."""
        ...

    async def trades(self, bot_id: str, limit: int) -> list[TradeRow]:
        """Give the last round trips, newest first."""
        ...

    async def events(self, bot_id: str, limit: int) -> list[EventRow]:
        """Give the last events, newest first."""
        ...

    async def audit(self, bot_id: str) -> AuditFigures:
        """Recompute the books from fills and compare them with what is stored."""
        ...
