"""What the risk rules look at and what they say: `exits` and `entries` hold the rules.

Nothing is clamped silently: each verdict has the rule, the reason and the figures.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from pydantic import Field

from oxbot.domain.bot import RiskLimits
from oxbot.domain.market import ClockReading, Instrument, Quote, Symbol
from oxbot.domain.money import (
    Notional,
    PositivePrice,
    PositiveQuantity,
    Price,
    Quantity,
    to_scale,
)
from oxbot.domain.orders import Purpose
from oxbot.domain.portfolio import Portfolio, Position
from oxbot.domain.values import Value

SECOND_MS: Final = 1000


class Ruling(StrEnum):
    """What became of a proposal, or of a position a rule looked at."""

    APPROVED = "approved"
    REDUCED = "reduced"
    REFUSED = "refused"
    DEMANDED = "demanded"
    NOTED = "noted"

    @property
    def leads_to_an_order(self) -> bool:
        """Whether an order follows."""
        return self in (Ruling.APPROVED, Ruling.REDUCED, Ruling.DEMANDED)


class Verdict(Value):
    """A rule's word on one coin, with the figures it rests on; `quantity` in coins."""

    symbol: Symbol
    purpose: Purpose
    ruling: Ruling
    rule: str
    reason: str
    figures: dict[str, str] = Field(default_factory=dict)
    quantity: PositiveQuantity | None = None
    limit_price: PositivePrice | None = None


@dataclass(frozen=True)
class Context:
    """Everything the rules look at, re-read when they judge.

    `seen` are the last prices in USDT that the model was shown; `last_exit_ms` says for a coin
    when (venue ms) it was last exited; `entries_today` counts entries since UTC midnight;
    `busy` are coins with an order under way.
    """

    limits: RiskLimits
    clock: ClockReading
    portfolio: Portfolio
    quotes: dict[str, Quote]
    seen: dict[str, Price]
    instruments: dict[str, Instrument]
    symbols: tuple[str, ...]
    fee_rate: Decimal
    entries_today: int
    last_exit_ms: dict[str, int]
    busy: frozenset[str]

    @property
    def now_ms(self) -> int:
        """Venue time now, in ms."""
        return self.clock.venue_ms

    def is_fresh(self, quote: Quote) -> bool:
        """Whether a price is young enough to act on, and not from the future either."""
        limit_ms = self.clock.scaled_ms(self.limits.price_age_s * SECOND_MS)
        return abs(self.now_ms - quote.exchange_ms) <= limit_ms


def held_s(context: Context, position: Position) -> int:
    """Give how long a position has been held, in seconds of venue time."""
    return (context.now_ms - position.opened_ms) // SECOND_MS


def sellable(context: Context, position: Position) -> Quantity:
    """Give what can be sold of a position: whole lots; the rest becomes dust."""
    return context.instruments[position.symbol].whole_lots(position.quantity)


def reserved_by(verdict: Verdict) -> Notional:
    """Give the USDT an approved entry sets aside: quantity at its limit price."""
    if verdict.quantity is None or verdict.limit_price is None:
        return Notional(0)
    return to_scale(verdict.limit_price * verdict.quantity)
