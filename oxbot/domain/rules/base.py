"""What a risk rule is: a name, the limits it reads, its formula, and its word with figures."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Protocol

from oxbot.domain.decision import Proposal
from oxbot.domain.money import Notional, Price, Quantity
from oxbot.domain.orders import Purpose
from oxbot.domain.portfolio import Position
from oxbot.domain.risk import Context

Figures = dict[str, str]


@dataclass(frozen=True)
class Refusal:
    """A rule's no: reason and figures."""

    reason: str
    figures: Figures


@dataclass(frozen=True)
class Demand:
    """A rule's demand to leave a position: what for, why, and the figures."""

    purpose: Purpose
    reason: str
    figures: Figures


@dataclass(frozen=True)
class Sizing:
    """An entry that passed all rules, on its way to a quantity.

    `quantity` (coins, whole lots) is what the limits leave; `price` (USDT) is the ask.
    """

    symbol: str
    quantity: Quantity
    price: Price


class Rule(Protocol):
    """What all rules tell of themselves; `docs/risk.md` is checked against it.

    `name` stands in verdicts, `limits` are the names of the limits it reads, `formula` says
    when it acts, `figures` are those it gives.
    """

    name: ClassVar[str]
    limits: ClassVar[tuple[str, ...]]
    formula: ClassVar[str]
    figures: ClassVar[tuple[str, ...]]


class ProposalRule(Rule, Protocol):
    """Refuses a proposal, or lets it pass."""

    def check(self, proposal: Proposal, context: Context) -> Refusal | None:
        """Refuse, with reason and figures; None lets it pass."""
        ...


class SizeRule(Rule, Protocol):
    """Bounds what an entry may cost."""

    def room(self, proposal: Proposal, context: Context) -> Notional:
        """Give the USDT that an entry may cost at most; below 0 where nothing is left."""
        ...


class LeastRule(Rule, Protocol):
    """Refuses an entry that has become too small."""

    def check(self, sizing: Sizing, context: Context) -> Refusal | None:
        """Refuse, with reason and figures; None lets it pass."""
        ...


class ExitRule(Rule, Protocol):
    """Demands that a position is left, whatever a model thinks."""

    def check(self, position: Position, context: Context) -> Demand | None:
        """Demand the exit; None keeps the position."""
        ...


def percent(part: Decimal) -> str:
    """Write a fraction with six decimals, as the figures of verdicts have it."""
    return f"{part:.6f}"
