"""What a model may answer, and nothing else."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator

from oxbot.domain.bot import Fraction
from oxbot.domain.errors import BadReply
from oxbot.domain.market import Symbol
from oxbot.domain.units import PositivePrice
from oxbot.domain.values import Value


class Action(StrEnum):
    """What to do with one coin."""

    BUY = "buy"
    REDUCE = "reduce"
    CLOSE = "close"
    HOLD = "hold"

    @property
    def sells(self) -> bool:
        """Whether coins that are held are to be sold."""
        return self in (Action.REDUCE, Action.CLOSE)


class Proposal(Value):
    """A model's wish for one coin.

    `fraction` is of the size the limits allow, of a reduce the part of the position that is to
    be sold: one that does not say how much is not taken to mean all. `expected_move` is the
    relative price move it expects, from which the fee gate judges whether a trade can pay.
    `stop_price` and `target_price` (USDT) may lie nearer than the limits have them, never further
    away.
    """

    symbol: Symbol
    action: Action
    fraction: Fraction = Decimal(1)
    confidence: Annotated[Decimal, Field(ge=0, le=1)]
    expected_move: Annotated[Decimal, Field(ge=0, le=10)] = Decimal(0)
    stop_price: PositivePrice | None = None
    target_price: PositivePrice | None = None
    invalidation: Annotated[str, StringConstraints(max_length=300)] = ""
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500)]

    @model_validator(mode="after")
    def _must_say_how_much(self) -> Self:
        if self.action is Action.REDUCE and "fraction" not in self.model_fields_set:
            raise ValueError("a reduce names its fraction")
        return self


class Decision(Value):
    """One answer: at most one proposal a coin, and a summary of a sentence or two."""

    proposals: tuple[Proposal, ...]
    summary: Annotated[str, StringConstraints(min_length=1, max_length=500)]


class DecisionCounts(Value):
    """How many cycles came to what, and what that cost in USD.

    A model that was asked `decided` at once, its decision was `repaired`, or it `failed` to give
    one. Nobody was asked where nothing had changed (`gated`) or no budget was left (`unasked`).
    """

    decided: int = 0
    repaired: int = 0
    failed: int = 0
    gated: int = 0
    unasked: int = 0
    cost_usd: Decimal = Decimal(0)

    @property
    def asked(self) -> int:
        """Cycles in which a model was asked."""
        return self.decided + self.repaired + self.failed


def parse_decision(text: str, symbols: tuple[str, ...]) -> Decision:
    """Read a reply strictly: JSON of the schema, only known symbols, each at most once.

    Raises:
        BadReply: It is anything else; the message says what, not the reply's own text.
    """
    try:
        decision = Decision.model_validate_json(text)
    except ValidationError as error:
        raise BadReply(f"The reply is not a valid decision: {_told(error)}.") from error
    named = [proposal.symbol for proposal in decision.proposals]
    unknown = sorted(set(named) - set(symbols))
    if unknown:
        raise BadReply(f"The reply names symbols the bot does not trade: {', '.join(unknown)}.")
    if len(set(named)) != len(named):
        raise BadReply("The reply names a symbol twice.")
    return decision


def _told(error: ValidationError) -> str:
    """Say what is wrong where; names in the reply are the model's own, so they are cut short."""
    places = error.errors(include_url=False, include_input=False, include_context=False)
    named = ((".".join(str(part)[:40] for part in e["loc"]) or "reply", e["msg"]) for e in places)
    return "; ".join(f"{place}: {message}" for place, message in list(named)[:5])
