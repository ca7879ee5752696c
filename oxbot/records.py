"""What the use cases hand to the record and read back from it."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Final, NamedTuple, Self

from pydantic import Field

from oxbot.domain.account import Account
from oxbot.domain.bot import RiskLimits
from oxbot.domain.market import ClockReading, Quote
from oxbot.domain.memory import Memory
from oxbot.domain.models import ModelChoice
from oxbot.domain.money import CurrencyAmount, Notional, Price, Quantity
from oxbot.domain.orders import Order, Purpose
from oxbot.domain.portfolio import Direction, Portfolio, Position
from oxbot.domain.risk import Context, Verdict
from oxbot.domain.snapshots import Features
from oxbot.domain.values import Value

UNVERSIONED: Final = "0"
"""The prompts of decisions from before their wording had versions."""


class RunReservation(Value):
    """Cycle numbers `first_cycle` to `first_cycle + cycles - 1`, and the bot's incarnation.

    `last_due_ms` is the venue time at which the bot's last recorded cycle was due.
    """

    incarnation: int
    first_cycle: int
    cycles: int
    last_due_ms: int | None


class Judgement(NamedTuple):
    """What the rules said in one cycle, the orders that follow, and what all of it rests on."""

    verdicts: Sequence[Verdict]
    orders: Sequence[Order]
    context: Context | None = None


Judge = Callable[[Account], Judgement]
"""Judges a cycle, given what the owner's other bots have at that moment."""


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
    that are plain rules. `choice` is the model asked for.
    """

    messages: tuple[tuple[str, str], ...]
    brief: "MarketBrief"
    choice: ModelChoice = ModelChoice()


class Lately(Value):
    """What happened since a model was last asked.

    `cycle` is the one in which it was; from then on what the rules said, oldest first, and
    which positions were closed.
    """

    cycle: int
    verdicts: tuple[Verdict, ...] = ()
    trades: tuple["TradeRow", ...] = ()


class Facts(Value):
    """What a decision rests on besides the market; `now_ms` in venue time.

    `lately` is None before the first decision. `fee_rate` is the taker fee as a fraction, None
    where it is not told.
    """

    now_ms: int
    symbols: tuple[str, ...]
    portfolio: Portfolio
    limits: RiskLimits
    lately: Lately | None = None
    memory: Memory = Memory()
    fee_rate: Decimal | None = None


class MarketBrief(Facts):
    """All facts a decision rests on; quotes in USDT, features of closed candles."""

    features: dict[str, Features]
    quotes: dict[str, Quote]

    @property
    def facts(self) -> Facts:
        """What is kept with the decision; the market is on record by itself."""
        return Facts.model_construct(**{name: getattr(self, name) for name in Facts.model_fields})

    @classmethod
    def of(
        cls, facts: Facts, features: dict[str, Features], quotes: dict[str, Quote]
    ) -> "MarketBrief":
        """Join facts with the market that was seen."""
        named = {name: getattr(facts, name) for name in Facts.model_fields}
        return cls(**named, features=features, quotes=quotes)


class ModelReply(Value):
    """A model's answer as it came, with what it cost: tokens and USD.

    `tokens_cached` are those of `tokens_in` that the provider remembered. `finish_reason` is
    why the text ends where it does, in the provider's word. Where nobody knows the model's
    price, `priced` is False and the cost of 0 tells nothing.
    """

    text: str
    provider: str
    model: str
    request_id: str
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    cost_usd: Decimal = Decimal(0)
    finish_reason: str = ""
    priced: bool = True


class Spent(Value):
    """Tokens and USD; `priced`: whether the cost is known."""

    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    cost_usd: Decimal = Decimal(0)
    priced: bool = True

    @classmethod
    def on(cls, spent: "Iterable[Spent | ModelReply]") -> Self:
        """Add up what several cost."""
        total = cls()
        for one in spent:
            total = cls(
                tokens_in=total.tokens_in + one.tokens_in,
                tokens_out=total.tokens_out + one.tokens_out,
                tokens_cached=total.tokens_cached + one.tokens_cached,
                cost_usd=total.cost_usd + one.cost_usd,
                priced=total.priced and one.priced,
            )
        return total


class DecisionRecord(Value):
    """A cycle's decision: prompt, raw reply, and the parsed proposals as JSON.

    `failed` says why there is no decision; the cycle then holds. `repaired`: the reply is the
    second one, after `first_reply`, which was no valid decision. Tokens, cost and time are of
    all requests; where `priced` is False nobody knows the cost. `prompt_version` is that of the
    prompt's wording, `choice` who was asked and how. `gated`: nobody was, as nothing had
    changed.
    """

    id: str
    bot_id: str
    cycle: int
    provider: str
    model: str
    label: str
    prompt_hash: str
    prompt: str
    prompt_version: str = UNVERSIONED
    reply: str
    decision: str | None
    failed: str | None = None
    request_id: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    cost_usd: Decimal = Decimal(0)
    duration_ms: int = 0
    repaired: bool = False
    first_reply: str | None = None
    priced: bool = True
    gated: bool = False
    choice: ModelChoice | None = None

    @property
    def asked(self) -> bool:
        """Whether a model was shown anything."""
        return bool(self.prompt_hash)


class LastQuestion(Value):
    """A question that a model was asked: its facts, the prices of its cycle, and who answered.

    `facts` are None where they are not on record. `decided`: a valid decision came of it.
    """

    cycle: int
    facts: Facts | None
    quotes: dict[str, Quote]
    decided: bool
    choice: ModelChoice | None
    prompt_version: str


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
    direction: Direction = Direction.LONG
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


class Protection(Value):
    """An exit that a price led to, once it is settled: what set it off, and when.

    `crossed_ms` in venue time. `seen_ms`, when the watch had the price, and `settled_ms` are
    wall time; `seen_ms` is None where no watch saw the price as it came.
    """

    bot_id: str
    symbol: str
    opened_ms: int
    version: int
    purpose: Purpose
    crossed_ms: int
    seen_ms: int | None
    settled_ms: int
    order_id: str


class ExitView(Value):
    """What closing a coin of a bot rests on, as of one moment.

    `orders` are those under way for the coin, and the one that was asked for by its id.
    """

    venue: str
    position: Position | None = None
    orders: tuple[Order, ...] = ()


class ExitIntent(Value):
    """The order that a coin's exit has to finish.

    `claimed`: this very call wrote it down, as sent; whoever called may send it, and nobody else.
    """

    order: Order
    claimed: bool


class ProtectionTimes(Value):
    """How long protecting took, from the price at the watch to the settled exit (wall ms).

    `within` counts those that took at most so many ms, by that limit; `total_ms` sums them all.
    """

    count: int
    total_ms: int
    within: dict[int, int]


class WatchBeat(Value):
    """When a venue's watch was last at work (wall ms), and whether the venue stood still then."""

    beat_ms: int
    stepped: bool


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
