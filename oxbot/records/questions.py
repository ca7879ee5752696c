"""What models are asked, what they answer, and what is kept of it."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Final, Self

from pydantic import BeforeValidator, Field

from oxbot.domain.bot import RiskLimits
from oxbot.domain.market import Quote
from oxbot.domain.memory import Memory
from oxbot.domain.models import ModelChoice
from oxbot.domain.portfolio import Portfolio
from oxbot.domain.risk import Verdict
from oxbot.domain.snapshots import Features
from oxbot.domain.values import Storable, Value
from oxbot.records.books import TradeRow

UNVERSIONED: Final = "0"
"""The prompts of decisions from before their wording had versions."""


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

    `cycle` is the one in which it was; from then on what the rules said, oldest first, which
    positions were closed, and by coin why an entry that was approved came to nothing.
    """

    cycle: int
    verdicts: tuple[Verdict, ...] = ()
    trades: tuple["TradeRow", ...] = ()
    unfilled: dict[str, str] = Field(default_factory=dict)


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


MOST_TOKENS: Final = 10**9
"""What a provider may count; two of these still fit into a column."""


def _countable(value: object) -> object:
    return max(0, min(value, MOST_TOKENS)) if isinstance(value, int) else value


Tokens = Annotated[int, BeforeValidator(_countable)]
"""A provider's count: one below 0 or beyond any answer is the nearest that can be kept."""


class ModelReply(Value):
    """A model's answer as it came, with what it cost: tokens and USD.

    But for what no record can keep: in its texts NUL and lone surrogates become U+FFFD, so that
    whatever comes is a bad reply at worst.

    `tokens_cached` are those of `tokens_in` that the provider remembered. `finish_reason` is
    why the text ends where it does, in the provider's word. Where nobody knows the model's
    price, `priced` is False and the cost of 0 tells nothing.
    """

    text: Storable
    provider: str
    model: Storable
    request_id: Storable
    tokens_in: Tokens = 0
    tokens_out: Tokens = 0
    tokens_cached: Tokens = 0
    cost_usd: Decimal = Decimal(0)
    finish_reason: Storable = ""
    priced: bool = True

    @classmethod
    def nothing_of(cls, choice: ModelChoice) -> Self:
        """Give what a model said that gave no answer."""
        return cls(text="", provider=choice.provider, model=choice.model, request_id="")


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
    changed. `passed_over` says which models should have decided instead, and why they did not.
    `finish_reason` and `first_finish` are why the two replies end, in the provider's word.
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
    finish_reason: str | None = None
    first_reply: str | None = None
    first_finish: str | None = None
    passed_over: str | None = None
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
