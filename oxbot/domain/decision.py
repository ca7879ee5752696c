"""What a model may answer, and nothing else."""

import json
import re
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator

from oxbot.domain.bot import Fraction
from oxbot.domain.errors import BadReply
from oxbot.domain.market import Symbol
from oxbot.domain.units import PositivePrice
from oxbot.domain.values import Value

MOST_TOLD: Final = 5
"""Faults, and names, that a refusal tells of."""

LONGEST_NAME: Final = 40
"""Characters of a name that a reply made up, as far as it is told."""

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What no sentence holds: control characters but tab and newline."""


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

    @field_validator(
        "fraction", "confidence", "expected_move", "stop_price", "target_price", mode="before"
    )
    @classmethod
    def _must_be_in_plain_digits(cls, value: object) -> object:
        """Refuse what `Decimal` reads as well: the digits of other scripts, and `0_1`."""
        if isinstance(value, str) and ("_" in value or not value.isascii()):
            raise ValueError("a number is written in the digits 0 to 9")
        return value

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

    What is read from the record is held to less: it may be from before a rule.

    Raises:
        BadReply: It is anything else; the message says what, not the reply's own text.
    """
    try:
        decision = Decision.model_validate_json(text)
    except ValidationError as error:
        raise BadReply(f"The reply is not a valid decision: {_told(error)}.") from error
    _must_name_fields_once(text)
    wrong = _faults(decision, symbols)
    if wrong:
        raise BadReply(" ".join(wrong[:MOST_TOLD]))
    return decision


def _must_name_fields_once(text: str) -> None:
    """Refuse an object with a field twice: readers differ in which of them they take."""
    try:
        json.loads(text, object_pairs_hook=_once, parse_int=str, parse_float=str)
    except (ValueError, RecursionError) as error:  # two parsers need not agree on everything
        raise BadReply("The reply is not JSON that can be read in one way only.") from error


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise BadReply(f"The reply names the field {_shown(name)} twice in one object.")
        found[name] = value
    return found


def _faults(decision: Decision, symbols: Sequence[str]) -> list[str]:
    """Say what is wrong with a decision that has the right form."""
    named = [proposal.symbol for proposal in decision.proposals]
    unknown = ", ".join(sorted(set(named) - set(symbols))[:MOST_TOLD])
    wrong = [f"The reply names symbols the bot does not trade: {unknown}."] if unknown else []
    if len(set(named)) != len(named):
        wrong.append("The reply names a symbol twice.")
    wrong += _control_characters("summary", decision.summary)
    for proposal in decision.proposals:
        wrong += _contradictions(proposal)
    return wrong


def _contradictions(proposal: Proposal) -> list[str]:
    wrong = [
        *_control_characters(f"{proposal.symbol} reason", proposal.reason),
        *_control_characters(f"{proposal.symbol} invalidation", proposal.invalidation),
    ]
    if proposal.action is Action.CLOSE and proposal.fraction < 1:
        wrong.append(f"{proposal.symbol}: a close sells all; a part is sold by reduce.")
    return wrong


def _control_characters(place: str, text: str) -> list[str]:
    found = _CONTROL.search(text)
    if found is None:
        return []
    code = f"U+{ord(found[0]):04X}"
    return [f"{place}: a text holds no control characters but tab and newline, not {code}."]


def _told(error: ValidationError) -> str:
    """Say what is wrong where; names in the reply are the model's own, so they are cut short."""
    places = error.errors(include_url=False, include_input=False, include_context=False)
    named = ((".".join(_shown(str(part)) for part in e["loc"]) or "reply", e) for e in places)
    return "; ".join(f"{place}: {e['msg']}" for place, e in list(named)[:MOST_TOLD])


def _shown(name: str) -> str:
    """Show a name that a reply made up: short, and with nothing that no text can hold."""
    return "".join(c if c.isprintable() else "\ufffd" for c in name[:LONGEST_NAME])
