"""What the use cases need from the world, as Protocols. Adapters implement them.

Every method may raise the errors of `oxbot.domain.errors`; Temporal does the retrying.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Protocol

from oxbot.domain.bot import Bot, BotSettings
from oxbot.domain.circuit import Admission, Circuit
from oxbot.domain.feed import FeedStatus
from oxbot.domain.market import (
    Bar,
    Candle,
    ClockReading,
    Instrument,
    MarketPart,
    PartKey,
    Perpetual,
    Quote,
    Snapshot,
)
from oxbot.domain.orders import Fill, Order, OrderState
from oxbot.domain.portfolio import Portfolio
from oxbot.domain.risk import Verdict
from oxbot.messages import (
    BotView,
    ControlAnswer,
    ControlRequest,
    CycleOutcome,
    Missed,
    TickReport,
    WriteControl,
)
from oxbot.records import (
    AuditFigures,
    CycleRow,
    CycleStart,
    DecisionRecord,
    EventRow,
    ModelReply,
    ModelRequest,
    OrderRow,
    RunReservation,
    TradeRow,
)


class Clock(Protocol):
    """The venue's time."""

    async def reading(self) -> ClockReading:
        """Read the venue's clock and its rate."""
        ...


class Listing(Protocol):
    """What can be traded on one venue."""

    async def listing(self, *, fresh: bool = False) -> dict[str, Instrument]:
        """Give every pair in USDT that can be traded, by symbol; `fresh` asks the venue itself."""
        ...


class MarketFeed(Listing, Protocol):
    """Public market data of one venue."""

    @property
    def venue(self) -> str:
        """Name of the venue, such as okx."""
        ...

    async def instruments(self, symbols: Sequence[str]) -> dict[str, Instrument]:
        """Give tick, lot and minimum; InputError names symbols that are not listed."""
        ...

    async def quotes(self, symbols: Sequence[str], now: ClockReading) -> list[Quote]:
        """Give current prices; `now` is what receipt times are measured by."""
        ...

    async def all_quotes(self, now: ClockReading) -> list[Quote]:
        """Give the current price of every USDT pair by one request; unusable ones are left out."""
        ...

    async def candles(
        self, symbol: str, count: int, end_ms: int, bar: Bar = Bar.M5
    ) -> list[Candle]:
        """Give the last `count` closed candles that ended by `end_ms`, oldest first, no gap."""
        ...

    async def perpetual(self, symbol: str, now: ClockReading) -> Perpetual | None:
        """Tell of the coin's perpetual; None only where none is listed."""
        ...


class PriceBoard(Protocol):
    """The newest price of each symbol, shared by all processes."""

    async def put(self, venue: str, quotes: Sequence[Quote]) -> None:
        """Keep these prices; an older exchange time never replaces a newer one."""
        ...

    async def get(self, venue: str, symbols: Sequence[str]) -> dict[str, Quote]:
        """Give what is known, however old; symbols without a price are left out."""
        ...

    async def report(self, venue: str, status: FeedStatus) -> None:
        """Keep what the price watch of a venue says of itself."""
        ...

    async def feed_status(self, venue: str) -> FeedStatus | None:
        """Give the last report of a venue's price watch, however old; None if there is none."""
        ...


class PriceStream(Protocol):
    """Prices as the venue pushes them."""

    def quotes(
        self, symbols: Sequence[str], clock: Callable[[], Awaitable[ClockReading]]
    ) -> AsyncGenerator[list[Quote], None]:
        """Connect, and give prices as they come; closing the iterator ends the connection.

        `clock` is asked for the time of receipt.

        Raises:
            InputError: Symbols that the venue does not list.
            VenueUnavailable: The connection is lost, refused, or cannot be read.
        """
        ...


class Breaker(Protocol):
    """Stops the whole fleet from asking somebody who does not answer; see `guarded`."""

    async def admit(self, target: str, now: ClockReading) -> Admission:
        """Tell whether the target may be asked now; of all callers, one is the probe."""
        ...

    async def succeeded(self, target: str) -> None:
        """Report an answer, whatever it said: the target is there."""
        ...

    async def failed(self, target: str, now: ClockReading, reason: str, began_ms: int) -> None:
        """Report that the target did not answer a call that began at a wall time in ms.

        Calls that were under way together count as one failure.
        """
        ...

    async def states(self) -> list[Circuit]:
        """Give every target that ever failed since its last success; StoreUnavailable."""
        ...


class PartCache(Protocol):
    """Market parts that were made lately, shared by all processes."""

    async def get(self, keys: Collection[PartKey]) -> dict[PartKey, MarketPart]:
        """Give those that are there, by one request."""
        ...

    async def put(self, parts: Collection[MarketPart]) -> None:
        """Keep parts for as long as somebody may ask for them."""
        ...


class Flight(Protocol):
    """Keeps all processes but one from asking for the same at the same time."""

    def alone(self, name: str) -> AbstractAsyncContextManager[None]:
        """Hold a name while nobody else does.

        Where the holders cannot be told apart, because the lock's server is away, nobody is
        kept waiting.

        Raises:
            VenueUnavailable: Another holder took too long, or this one does.
        """
        ...


class ChatModel(Protocol):
    """A language model, or something that answers like one."""

    @property
    def label(self) -> str:
        """How the model is named wherever its decisions are shown."""
        ...

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Answer; ModelUnavailable when the provider does not."""
        ...


class Exchange(Protocol):
    """Where orders go. Placing is at most once per claim; what is unknown is looked up."""

    async def place(self, order: Order, now: ClockReading) -> list[Fill]:
        """Execute a claimed order at once or cancel it; an empty list means cancelled.

        Raises:
            VenueRefused: Final; the order did not and will not trade.
            OutcomeUnknown: It may have traded; only `look_up` may follow.
            VenueUnavailable: It was certainly not sent.
        """
        ...

    async def look_up(self, order: Order) -> list[Fill] | None:
        """Give the fills of an order that was sent; None when the venue never had it."""
        ...


class Store(Protocol):
    """The record. Each method is one transaction."""

    async def create_bot(self, bot_id: str, settings: BotSettings, created_ms: int) -> Bot:
        """Insert a running bot with its capital as first posting; Conflict if the id is taken."""
        ...

    async def bot(self, bot_id: str) -> Bot:
        """Give a bot; NotFound."""
        ...

    async def bots(self, owner: str | None = None) -> list[Bot]:
        """Give all bots, oldest first."""
        ...

    async def watched_symbols(self, venue: str) -> list[str]:
        """Give what bots of a venue that are not stopped trade or hold, sorted."""
        ...

    async def write_control(self, change: WriteControl) -> None:
        """Store status and epoch unless a newer epoch is stored; adds an event when it changed."""
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

    async def save_part(self, part: MarketPart) -> MarketPart:
        """Keep a market part; if another worker was first, its part is returned."""
        ...

    async def begin_cycle(self, start: CycleStart) -> CycleStart:
        """Open a cycle's row; a cycle already begun keeps and returns what it saw first."""
        ...

    async def cycle(self, bot_id: str, cycle: int) -> CycleStart:
        """Give what a cycle saw; NotFound."""
        ...

    async def decision(self, bot_id: str, cycle: int) -> DecisionRecord | None:
        """Give a cycle's decision, if it has one."""
        ...

    async def save_decision(self, record: DecisionRecord) -> DecisionRecord:
        """Keep a cycle's only decision; if one is stored, that one is returned."""
        ...

    async def portfolio(self, bot_id: str) -> Portfolio:
        """Give cash, reserved cash, positions and dust."""
        ...

    async def judged(self, bot_id: str, cycle: int) -> bool:
        """Tell whether a cycle's verdicts are stored."""
        ...

    async def save_verdicts(
        self, bot_id: str, cycle: int, verdicts: Sequence[Verdict], orders: Sequence[Order]
    ) -> None:
        """Store verdicts and intended orders together, under the bot's row lock.

        Conflict when the cycle was judged before, or when an intended order's coin already has
        an order under way; nothing is stored then.
        """
        ...

    async def verdicts(self, bot_id: str, cycle: int) -> list[Verdict]:
        """Give a cycle's verdicts."""
        ...

    async def unfinished_orders(self, bot_id: str) -> list[Order]:
        """Give the bot's orders that are not final, oldest first."""
        ...

    async def order(self, order_id: str) -> Order:
        """Give an order; NotFound."""
        ...

    async def claim(self, order_id: str, now_ms: int) -> bool:
        """Move intended → sent by compare-and-set; only the winner may send.

        An entry is only claimed while its bot is running, its epoch is unchanged and it has
        not expired (venue time).
        """
        ...

    async def release(self, order_id: str) -> None:
        """Move sent → intended, for an order that certainly never reached the venue."""
        ...

    async def finish_order(self, order_id: str, state: OrderState, reason: str) -> Order:
        """Close an order without a fill, unless it is final already; give it as stored."""
        ...

    async def settle(self, order_id: str, fills: Sequence[Fill], instrument: Instrument) -> Order:
        """Book fills, position, ledger, trade and order state in one transaction.

        Under the bot's row lock; a fill already booked (by trade id) is left as it is.
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
        equity: Mapping[str, Decimal],
    ) -> None:
        """Close cycles with their outcome, add events and the equity point; repeatable."""
        ...

    async def equity(self, bot_id: str) -> Decimal | None:
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


class BotControl(Protocol):
    """The running bots."""

    async def start(self, bot: Bot) -> bool:
        """Start a bot's workflow; False when one is running already."""
        ...

    async def is_running(self, bot_id: str) -> bool:
        """Tell whether a bot has a running workflow."""
        ...

    async def pause(self, bot_id: str, request: ControlRequest) -> ControlAnswer:
        """Pause: no entries from now on, protection goes on."""
        ...

    async def resume(self, bot_id: str, request: ControlRequest) -> ControlAnswer:
        """Resume a paused bot."""
        ...

    async def stop(self, bot_id: str, request: ControlRequest) -> ControlAnswer:
        """Stop: flatten and complete, or stay closing until flat."""
        ...

    async def view(self, bot_id: str) -> BotView:
        """Ask the workflow for its state."""
        ...

    async def tick(self, bot_id: str, due_ms: int) -> TickReport:
        """Tell a bot of a stepped venue that its tick is due; answers when it is done."""
        ...

    async def wake(self, bot_id: str) -> None:
        """Have a bot look at the venue's clock now, because its mode or rate has changed."""
        ...

    async def watch(self, venue: str) -> bool:
        """Start the price watch of a venue; False when it is running already."""
        ...
