"""What the risk rules look at and what they say; the rules themselves are in `rules`.

Nothing is clamped silently: each verdict has the rule, the reason and the figures.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from oxbot.domain.account import Account
from oxbot.domain.bot import RiskLimits
from oxbot.domain.market import ClockReading, Instrument, Positive, Quote
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
    HALTED = "halted"

    @property
    def leads_to_an_order(self) -> bool:
        """Whether an order follows."""
        return self in (Ruling.APPROVED, Ruling.REDUCED, Ruling.DEMANDED)


WHOLE_ACCOUNT: Final = "*"
"""Stands for a verdict's coin where a rule speaks of all that the bot owns."""

Subject = Annotated[str, StringConstraints(pattern=r"^(\*|[A-Z0-9]{1,15}/[A-Z0-9]{1,15})$")]


class Verdict(Value):
    """A rule's word on one coin, or on the whole account, with the figures it rests on.

    `quantity` in coins, `limit_price` in USDT; `stop` and `target` are what an entry will be
    protected by, as fractions of its average fill.
    """

    symbol: Subject
    purpose: Purpose
    ruling: Ruling
    rule: str
    reason: str
    figures: dict[str, str] = Field(default_factory=dict)
    quantity: PositiveQuantity | None = None
    limit_price: PositivePrice | None = None
    stop: Positive | None = None
    target: Positive | None = None


class Marks(Value):
    """What equity is measured against, in USDT, all of it recorded with fresh prices.

    `day_start` is the last equity before UTC midnight of venue time, else the capital;
    `day_lowest` the lowest recorded since; `high_water` the highest since the bot was made or
    last resumed. None where nothing was recorded yet.
    """

    day_start: Notional
    day_lowest: Notional | None = None
    high_water: Notional | None = None


@dataclass(frozen=True)
class Context:
    """Everything the rules look at, re-read when they judge.

    `seen` are the last prices in USDT that the model was shown; `last_exit_ms` says for a coin
    when (venue ms) it was last exited; `entries_today` counts entries since UTC midnight;
    `busy` are coins with an order under way, `decided` those that this decision has named
    before. `instruments` lacks what the exchange does not list, or lists no more. `account` is
    what the account's other bots own. `flatten`: everything is to be sold. `running`: the bot may
    still be halted; one that is paused is so already.
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
    marks: Marks
    decided: frozenset[str] = frozenset()
    account: Account = field(default_factory=Account)
    flatten: bool = False
    running: bool = True

    @property
    def now_ms(self) -> int:
        """Venue time now, in ms."""
        return self.clock.venue_ms

    @property
    def equity(self) -> Notional:
        """What the bot is worth by these prices, in USDT."""
        return self.portfolio.equity(self.quotes)

    @property
    def stale(self) -> tuple[str, ...]:
        """Name the held coins without a price young enough: equity rests on older ones."""
        return stale_marks(self.portfolio, self.quotes, self.clock, self.limits)

    def is_fresh(self, quote: Quote) -> bool:
        """Whether a price is young enough to act on, and not from the future either."""
        return _is_fresh(quote, self.clock, self.limits)


def _is_fresh(quote: Quote, clock: ClockReading, limits: RiskLimits) -> bool:
    limit_ms = clock.scaled_ms(limits.price_age_s * SECOND_MS)
    return abs(clock.venue_ms - quote.exchange_ms) <= limit_ms


def stale_marks(
    portfolio: Portfolio, quotes: dict[str, Quote], clock: ClockReading, limits: RiskLimits
) -> tuple[str, ...]:
    """Name the positions whose price is missing or too old to measure losses by."""
    fresh = {symbol for symbol, quote in quotes.items() if _is_fresh(quote, clock, limits)}
    return tuple(sorted(portfolio.positions.keys() - fresh))


def held_s(context: Context, position: Position) -> int:
    """Give how long a position has been held, in seconds of venue time."""
    return (context.now_ms - position.opened_ms) // SECOND_MS


def closable(context: Context, position: Position) -> Quantity:
    """Give what an order can close of a position: whole lots; the rest becomes dust.

    Nothing of a coin that the exchange lists no more.
    """
    instrument = context.instruments.get(position.symbol)
    return abs(instrument.whole_lots(position.quantity)) if instrument else Quantity(0)


def reducible(context: Context, position: Position, fraction: Decimal) -> Quantity:
    """Give what an order sells of a position to reduce it by a fraction: whole lots.

    All that can be sold, where the rest would be too little to be sold later.
    """
    instrument = context.instruments.get(position.symbol)
    if instrument is None:
        return Quantity(0)
    part = abs(instrument.whole_lots(position.quantity * fraction))
    rest = abs(position.quantity) - part
    return part if instrument.is_tradable(rest) else closable(context, position)


def reserved_by(verdict: Verdict) -> Notional:
    """Give the USDT an approved entry sets aside: quantity at its limit price."""
    if verdict.quantity is None or verdict.limit_price is None:
        return Notional(0)
    return to_scale(verdict.limit_price * verdict.quantity)
