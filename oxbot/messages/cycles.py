"""One cycle, step by step, and what came of it."""

from collections.abc import Sequence
from decimal import Decimal

from pydantic import Field

from oxbot.domain.market import ClockReading
from oxbot.domain.money import Notional, Price, Quantity, to_scale
from oxbot.domain.orders import Fill, Order, OrderState, Purpose, Side
from oxbot.messages.base import Message
from oxbot.messages.runs import PositionBrief


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
    """The decision's place on record and its gist.

    `passed_over` says which models should have decided instead of `model`, and why they did not.
    """

    decision_id: str
    model: str
    summary: str
    proposals: tuple[str, ...]
    failed: str | None = None
    passed_over: str | None = None

    @property
    def told(self) -> str:
        """The gist, and where another model should have decided, why it did not."""
        if self.passed_over is None:
            return self.summary
        return f"{self.summary} By {self.model}, since: {self.passed_over}"


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
    `halt` says why the bot must pause until a person resumes it; `refused` are those of the
    verdicts that refuse.
    """

    verdicts: tuple[str, ...]
    refused: tuple[str, ...] = ()
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

    @classmethod
    def of(cls, order: Order, fills: Sequence[Fill]) -> "OrderOutcome":
        """Say what became of an order that has traded this."""
        filled = sum((fill.quantity for fill in fills), Quantity(0))
        notional = sum((fill.quantity * fill.price for fill in fills), Notional(0))
        return cls(
            order_id=order.id,
            symbol=order.symbol,
            purpose=order.purpose,
            state=order.state,
            filled=filled,
            price=to_scale(notional / filled) if filled else None,
            reason=order.reason,
        )


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
    """The account after the cycle, in USDT; `unpriced` as in `RiskReport`.

    `unsellable` are coins of a bot that enters nothing, of which less is held than can be sold.
    """

    equity: Notional
    cash: Notional
    positions: tuple[PositionBrief, ...]
    unpriced: tuple[str, ...] = ()
    unsellable: tuple[str, ...] = ()


class TickRequest(Message):
    """The driver of a stepped venue says that this tick (venue ms) is due."""

    due_ms: int


class TickReport(Message):
    """What a stepped tick led to; `cycle` is None where the bot had nothing to do."""

    cycle: int | None
    skipped: str | None = None
    next_due_ms: int | None = None
