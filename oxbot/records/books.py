"""Orders, trades and events as they are listed, and the books made again."""

from pydantic import Field

from oxbot.domain.money import CurrencyAmount, Notional, Price, Quantity
from oxbot.domain.portfolio import Direction
from oxbot.domain.values import Value


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


class Difference(Value):
    """A figure of the books as it is stored and as the fills come to it, of whatever unit."""

    of: str
    stored: CurrencyAmount
    from_fills: CurrencyAmount


class AuditFigures(Value):
    """The books recomputed from fills against the books as stored.

    `drift` is the sum of all absolute differences, of whatever unit; `unbalanced` counts
    postings that do not sum to zero. `differing` counts the figures that differ, of which
    `differences` are the first hundred.
    """

    fills: int
    cash_stored: Notional
    cash_recomputed: Notional
    drift: CurrencyAmount
    unbalanced: int
    differing: int = 0
    differences: tuple[Difference, ...] = ()
