"""What travels between workflow, activities and the people who control bots.

All of it lands in Temporal's histories: small, readable, no keys, no prompts. Running bots
replay what older versions wrote: a new field needs a default, and a field that has gone is
passed over.
"""

from decimal import Decimal
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from oxbot.domain.bot import BotStatus, RiskLimits
from oxbot.domain.feed import FeedStatus
from oxbot.domain.market import ClockReading
from oxbot.domain.money import Notional, Price, Quantity
from oxbot.domain.orders import OrderState, Purpose, Side
from oxbot.domain.values import Value

BOT_WORKFLOW: Final = "BotWorkflow"
"""Name under which the bot's workflow type is registered."""

WATCH_WORKFLOW: Final = "MarketWatchWorkflow"
"""Name under which the price watch's workflow type is registered."""

STATUS_ATTRIBUTE: Final = "BotStatus"
MODE_ATTRIBUTE: Final = "BotMode"
SYMBOLS_ATTRIBUTE: Final = "BotSymbols"
OWNER_ATTRIBUTE: Final = "BotOwner"


class Message(Value):
    """A value in a history; fields that this version does not know are passed over."""

    model_config = ConfigDict(extra="ignore")


def workflow_id(bot_id: str) -> str:
    """Give the workflow id of a bot."""
    return f"bot-{bot_id}"


def watch_id(venue: str) -> str:
    """Give the workflow id of a venue's price watch."""
    return f"watch-{venue}"


class RunSpec(Message):
    """What the workflow must know of its bot; times are the venue's."""

    name: str
    owner: str
    mode: str
    symbols: tuple[str, ...]
    interval_ms: int
    provider: str
    longest_hold_s: int = 13_800
    limits: RiskLimits | None = None


class PositionBrief(Message):
    """A position as the Web UI shows it; prices, value and PnL in USDT.

    `age_ms` is how old the price is that values it (venue time). None: no price is known, the
    position stands at its cost, and its PnL of 0 tells nothing.
    """

    symbol: str
    quantity: Quantity
    average_price: Price
    stop_price: Price
    target_price: Price
    opened_ms: int
    unrealised: Notional
    age_ms: int | None
    version: int = 0


class OpenRun(Message):
    """Ask for a block of cycle numbers. `chain_id` names the life, `run_id` the run."""

    bot_id: str
    chain_id: str
    run_id: str
    cycles: int


class RunGrant(Message):
    """The numbers granted, with what the run needs to begin.

    `last_due_ms` is when the last recorded cycle was due (venue ms), so that a bot that starts
    over can tell how many ticks it lost. `session` names the run of the whole system.
    """

    incarnation: int
    first_cycle: int
    cycles: int
    spec: RunSpec
    clock: ClockReading
    status: BotStatus
    epoch: int
    flatten: bool
    open_positions: int
    last_due_ms: int | None
    session: str | None
    positions: tuple[PositionBrief, ...] = ()


class ObserveMarket(Message):
    """Look at the market for one cycle; `due_ms` in venue time."""

    bot_id: str
    incarnation: int
    cycle: int
    due_ms: int


class SeenPrice(Message):
    """One price as a cycle saw it; age in ms of venue time.

    `spread_bp` is ask less bid in basis points of the bid; None in what older versions wrote.
    """

    bid: Price
    ask: Price
    last: Price
    age_ms: int
    source: str
    spread_bp: Decimal | None = None


class Observation(Message):
    """What a cycle saw. `due` is false when the venue's clock has not reached the tick."""

    due: bool
    clock: ClockReading
    session: str | None
    snapshot_id: str | None = None
    prices: dict[str, SeenPrice] = Field(default_factory=dict)


class Decide(Message):
    """Have the model decide on what the cycle saw."""

    bot_id: str
    cycle: int


class DecisionBrief(Message):
    """The decision's place on record and its gist."""

    decision_id: str
    model: str
    summary: str
    proposals: tuple[str, ...]
    failed: str | None = None


class ValidateRisk(Message):
    """Judge positions and proposals. `entries`: whether entries are allowed at all.

    `expires_ms` is the venue time after which this cycle's entries must not be sent.
    `unseen_due_ms` is when the cycle was due, given where it saw nothing of the market.
    """

    bot_id: str
    incarnation: int
    cycle: int
    epoch: int
    entries: bool
    flatten: bool
    expires_ms: int
    unseen_due_ms: int | None = None


class OrderBrief(Message):
    """An intended order: quantity in coins."""

    id: str
    symbol: str
    side: Side
    purpose: Purpose
    quantity: Quantity


class RiskReport(Message):
    """The verdicts in words, the orders to execute now, and the state of the account in USDT.

    `unpriced` are held coins without any price: equity has positions at cost, dust at nothing.
    `halt` says why the bot must pause until a person resumes it.
    """

    verdicts: tuple[str, ...]
    refusals: int
    orders: tuple[OrderBrief, ...]
    equity: Notional
    cash: Notional
    positions: tuple[PositionBrief, ...]
    unpriced: tuple[str, ...] = ()
    halt: str | None = None


class ExecuteOrder(Message):
    """Send one intended order, unless it is no longer wanted."""

    bot_id: str
    order_id: str


class OrderOutcome(Message):
    """What became of an order: coins filled, average price in USDT."""

    order_id: str
    symbol: str
    purpose: Purpose
    state: OrderState
    filled: Quantity = Quantity(0)
    price: Price | None = None
    reason: str = ""


class Protect(Message):
    """A price that reached a guard, or a hold that is over: the position is to be closed.

    `opened_ms` (venue ms) and `version` say which position, and which state of it; version 0 is
    whichever it is in. `price` in USDT crossed at `crossed_ms` (venue ms), and was there to be
    seen at `seen_wall_ms` (wall ms; 0: not known). `resting` is the price at which a stop that
    rested on paper has filled while nobody watched.
    """

    symbol: str
    opened_ms: int
    version: int
    purpose: Purpose
    price: Price | None = None
    crossed_ms: int
    seen_wall_ms: int
    resting: Price | None = None

    @property
    def key(self) -> tuple[str, int, int]:
        """What makes two of them the same."""
        return self.symbol, self.opened_ms, self.version


class ProtectPosition(Message):
    """Close a position as the bot's own step; the numbers are for the record."""

    bot_id: str
    incarnation: int
    cycle: int
    epoch: int
    protect: Protect


class ProtectReport(Message):
    """What came of a protection: the position is `closed`, still `open`, or the call was `stale`.

    `order_ids` are all orders of the coin that have come to their end; `price` is the average
    of the exit in USDT. `under_way`: it was not done yet when this was said, and goes on.
    """

    symbol: str
    state: str
    order_ids: tuple[str, ...] = ()
    reason: str = ""
    price: Price | None = None
    under_way: bool = False


class Examine(Message):
    """The driver of a stepped venue: at this moment (venue ms), close what has to be closed."""

    venue: str
    at_ms: int


class ExamineReport(Message):
    """How many guards were set off or holds over, and how many positions were closed for it.

    `trouble` says why some could not be judged, or are not closed. `unfinished`: somebody who
    has to act did not answer, so it is to be asked again before time goes on. Where the venue
    itself gives no prices, or refuses, it is not: that may last.
    """

    crossings: int
    closed: int
    trouble: str = ""
    unfinished: bool = False


class CycleOutcome(Message):
    """How a cycle ended. `skipped` names the cause of one that did not run to its end.

    `observed` is false where the cycle got no look at the market.
    """

    cycle: int
    incarnation: int
    due_ms: int
    skipped: str | None = None
    decision: str = ""
    orders: tuple[OrderOutcome, ...] = ()


class Missed(Message):
    """Ticks that passed unused: how many, from which due time on (venue ms), and why."""

    ticks: int
    from_ms: int
    until_ms: int
    cause: str


class RecordCycles(Message):
    """Write down what happened, including what could not be written before.

    `now_ms` is the venue's time, by which prices are given their age.
    """

    bot_id: str
    now_ms: int
    outcomes: tuple[CycleOutcome, ...]
    missed: tuple[Missed, ...] = ()


class Recorded(Message):
    """The account after the cycle, in USDT; `unpriced` as in `RiskReport`."""

    equity: Notional
    cash: Notional
    positions: tuple[PositionBrief, ...]
    unpriced: tuple[str, ...] = ()


class WriteControl(Message):
    """Put the bot's status and epoch on record; an older epoch changes nothing."""

    bot_id: str
    status: BotStatus
    epoch: int
    flatten: bool
    by: str
    reason: str


class ControlRequest(BaseModel):
    """What a pause, resume or stop may carry. `flatten` only counts for stop."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: str = "temporal"
    reason: str = ""
    flatten: bool = True


class ChangeLimits(BaseModel):
    """What a person wishes of a bot's limits: only those named change; None is off."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: str = "temporal"
    reason: str = ""
    limits: dict[str, str | int | None]


class WriteLimits(Message):
    """Put changed limits on record under a raised epoch; the same epoch changes them once."""

    bot_id: str
    epoch: int
    by: str
    reason: str
    limits: dict[str, str | int | None]


class LimitsAnswer(Message):
    """The limits that hold from now on, and which of them changed.

    `recorded` says whether PostgreSQL has them; until it has, no entry of the older epoch is
    sent either.
    """

    epoch: int
    limits: RiskLimits
    changed: tuple[str, ...]
    recorded: bool = True


class ControlAnswer(Message):
    """The status that holds from now on.

    `in_flight` are the ids of orders that can still be sent or filled; empty means that
    nothing can. `recorded` says whether PostgreSQL has it too.
    """

    status: str
    epoch: int
    in_flight: tuple[str, ...] = ()
    recorded: bool = True


class CountHoldings(Message):
    """Ask what a bot holds and has under way."""

    bot_id: str


class Holdings(Message):
    """What a bot has, by the record: counts, and dust in coins.

    `coins` are those with a position or an order under way, with when the position was opened
    (venue ms; 0: there is only an order).
    """

    open_orders: int
    positions: int
    coins: dict[str, int] = Field(default_factory=dict)
    dust: dict[str, Quantity] = Field(default_factory=dict)

    @property
    def is_flat(self) -> bool:
        """Whether nothing is held or under way; dust does not count."""
        return not self.open_orders and not self.positions


class FlattenReport(Message):
    """What is left after everything was to be sold, and the status that holds.

    `dust` are coins too few to sell, `dust_value` what they are worth in USDT where a price is
    known. `done`: no order is open, no position held, and the bot's pause is on record.
    """

    open_orders: int
    positions: int
    dust: dict[str, Quantity] = Field(default_factory=dict)
    done: bool
    status: str
    epoch: int
    dust_value: dict[str, Notional] = Field(default_factory=dict)


class TickRequest(Message):
    """The driver of a stepped venue says that this tick (venue ms) is due."""

    due_ms: int


class TickReport(Message):
    """What a stepped tick led to; `cycle` is None where the bot had nothing to do."""

    cycle: int | None
    skipped: str | None = None
    next_due_ms: int | None = None


class BotView(Message):
    """A bot's state as its workflow knows it. Times in venue ms, amounts in USDT."""

    bot_id: str
    status: BotStatus
    incarnation: int
    epoch: int
    cycle: int
    next_due_ms: int | None
    last_outcome: CycleOutcome | None
    equity: Notional | None
    positions: tuple[PositionBrief, ...]
    in_flight: tuple[str, ...]
    unwritten: int
    stepped: bool


class WatchPrices(Message):
    """Watch a venue's prices: all that its bots need, for at most `for_s` seconds."""

    venue: str
    for_s: int


class WatchView(Message):
    """The price watch as its workflow knows it, carried whole from run to run.

    `runs` of the activity so far, with the report of the last; what it reports just now is in
    the heartbeat of the activity under way. `ended` says why it watches no more. The activity
    lasts `span_s`, a run of the workflow `roll_after` of them, or `examine_at_most`
    examinations of a stepped venue: Temporal takes 2,000 updates in a run.
    """

    venue: str
    span_s: int = 3300
    roll_after: int = 24
    examine_at_most: int = 1_000
    runs: int = 0
    last: FeedStatus | None = None
    ended: str = ""
