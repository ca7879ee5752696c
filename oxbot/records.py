"""What the use cases hand to the record and read back from it."""

from decimal import Decimal

from pydantic import Field

from oxbot.domain.bot import RiskLimits
from oxbot.domain.market import ClockReading, Features, Quote
from oxbot.domain.money import CurrencyAmount, Notional, Price, Quantity
from oxbot.domain.portfolio import Portfolio
from oxbot.domain.values import Value


class RunReservation(Value):
    """Cycle numbers `first_cycle` to `first_cycle + cycles - 1`, and the bot's incarnation.

    `last_due_ms` is the venue time at which the bot's last recorded cycle was due.
    """

    incarnation: int
    first_cycle: int
    cycles: int
    last_due_ms: int | None


class CycleStart(Value):
    """What a cycle saw: its snapshot and the quotes that were current then."""

    bot_id: str
    incarnation: int
    cycle: int
    due_ms: int
    clock: ClockReading
    snapshot_id: str
    quotes: dict[str, Quote]


class ModelRequest(Value):
    """What a model is asked: messages in order, and the same facts in typed form.

    `messages` are (role, text) pairs. `brief` holds what the text was made from, for models
    that are plain rules.
    """

    messages: tuple[tuple[str, str], ...]
    brief: "MarketBrief"


class MarketBrief(Value):
    """The facts a decision rests on; quotes in USDT, features of closed candles."""

    now_ms: int
    symbols: tuple[str, ...]
    features: dict[str, Features]
    quotes: dict[str, Quote]
    portfolio: Portfolio
    limits: RiskLimits


class ModelReply(Value):
    """A model's answer as it came, with what it cost: tokens and USD."""

    text: str
    provider: str
    model: str
    request_id: str
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: Decimal = Decimal(0)


class DecisionRecord(Value):
    """A cycle's decision: prompt, raw reply, and the parsed proposals as JSON.

    `failed` says why a reply could not be used; the cycle then holds.
    """

    id: str
    bot_id: str
    cycle: int
    provider: str
    model: str
    label: str
    prompt_hash: str
    prompt: str
    reply: str
    decision: str | None
    failed: str | None = None
    request_id: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: Decimal = Decimal(0)
    duration_ms: int = 0


class CycleRow(Value):
    """A cycle as listed; equity in USDT, `due_ms` in venue ms.

    `recorded_ms` is the wall time at which its end was written, None while it is under way.
    """

    cycle: int
    incarnation: int
    due_ms: int
    state: str
    skipped: str | None
    decision: str
    orders: int
    equity: Notional | None
    recorded_ms: int | None


class OrderRow(Value):
    """An order as listed: coins and average price in USDT."""

    id: str
    cycle: int
    symbol: str
    side: str
    purpose: str
    quantity: Quantity
    state: str
    reason: str
    filled: Quantity
    price: Price | None


class TradeRow(Value):
    """A round trip as listed; USDT and venue ms."""

    symbol: str
    quantity: Quantity
    entry_price: Price
    exit_price: Price
    fees: Notional
    net_pnl: Notional
    opened_ms: int
    closed_ms: int
    exit: str


class EventRow(Value):
    """Something worth telling a person; `at_ms` is wall time."""

    kind: str
    text: str
    figures: dict[str, str] = Field(default_factory=dict)
    at_ms: int


class AuditFigures(Value):
    """The books recomputed from fills against the books as stored.

    `drift` is the sum of all absolute differences, of whatever unit; `unbalanced` counts
    postings that do not sum to zero.
    """

    fills: int
    cash_stored: Notional
    cash_recomputed: Notional
    drift: CurrencyAmount
    unbalanced: int
