"""What long lists are made of: a part of one, its rows, and what statistics are computed from."""

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Final, Generic, TypeVar

from pydantic import Field

from oxbot.domain.bot import Bot
from oxbot.domain.market import Quote
from oxbot.domain.money import Notional, Price, Quantity
from oxbot.domain.portfolio import Position
from oxbot.domain.values import Value
from oxbot.records.books import OrderRow
from oxbot.records.cycles import CycleRow

Row = TypeVar("Row")


class Page(Value, Generic[Row]):
    """A part of a list, newest first; `next` is the cursor of what follows, None at the end."""

    items: tuple[Row, ...]
    next: str | None = None


def page_text(items: Iterable[str], following: str | None) -> str:
    """Write a page whose items are JSON already."""
    return f'{{"items":[{",".join(items)}],"next":{json.dumps(following)}}}'


class Part(Value):
    """Which part of a list: at most `limit` rows, of those that are older than the cursor's."""

    limit: int = 100
    cursor: str | None = None


class OrderLine(OrderRow):
    """An order with its times: written down and over in wall ms; the price limit in USDT."""

    limit_price: Price | None
    intended_ms: int
    finished_ms: int | None


class FillRow(Value):
    """A fill: coins, USDT a coin, the fee in `fee_currency`; `at_ms` is venue time."""

    id: int
    order_id: str
    trade_id: str
    symbol: str
    side: str
    quantity: Quantity
    price: Price
    fee: Decimal
    fee_currency: str
    at_ms: int


class LedgerRow(Value):
    """One line of a posting; debits are positive, `booked_ms` is wall time."""

    id: int
    posting: str
    line: int
    account: str
    currency: str
    amount: Decimal
    booked_ms: int


class DecisionLine(Value):
    """A decision without what was asked and answered; cost in USD, `due_ms` in venue ms.

    `summary` is the decision's own, None where `failed` says why the cycle held. `decided_ms` is
    wall time.
    """

    id: str
    cycle: int
    due_ms: int
    decided_ms: int
    label: str
    summary: str | None
    failed: str | None
    passed_over: str | None
    asked: bool
    gated: bool
    repaired: bool
    tokens_in: int
    tokens_out: int
    cost_usd: Decimal
    priced: bool
    duration_ms: int


class EquityPoint(Value):
    """What a bot had when a cycle was over, in USDT; `at_ms` (venue) is when that was due.

    `fresh` says that all prices were young enough to measure losses by it.
    """

    cycle: int
    at_ms: int
    equity: Notional
    cash: Notional
    fresh: bool


class Stretch(Value):
    """A stretch of venue ms, both ends included; None is where the record has its end."""

    since_ms: int | None = None
    until_ms: int | None = None


ALWAYS: Final = Stretch()


class BotState(Value):
    """A bot as lists show it: its newest cycle, what it holds, and the prices seen of that.

    `equity` (USDT) is as of the newest cycle that was recorded whole, None before the first.
    """

    bot: Bot
    cash: Notional
    equity: Notional | None
    last: CycleRow | None
    quotes: dict[str, Quote]
    positions: tuple[Position, ...]


class Exits(Value):
    """The round trips that one kind of exit has ended: how many, and what they earned (USDT)."""

    trades: int
    net_pnl: Notional


class TradeSums(Value):
    """Sums over all round trips of a bot, in USDT after fees; `gained` and `lost` as amounts."""

    trades: int = 0
    wins: int = 0
    gained: Notional = Notional(0)
    lost: Notional = Notional(0)
    best: Notional | None = None
    worst: Notional | None = None
    exits: dict[str, Exits] = Field(default_factory=dict)


class Fall(Value):
    """The deepest fall of a bot's worth: from the peak before it, in USDT, at `at_ms` (venue)."""

    peak: Notional
    trough: Notional
    at_ms: int


class Worth(Value):
    """What a bot was worth at the end of a UTC day of venue time: equity less model cost so far.

    `day` counts from 1970.
    """

    day: int
    worth: Notional


class Figures(Value):
    """What statistics are computed from, all as of one moment; USDT, model cost in USD.

    `unpriced` counts the answers whose cost nobody knows. `held_ms` is how long anything was held
    between the first and the newest equity on record, at `first_ms` and `newest_ms` (venue).
    `points` of equity are on record, of which `stale_points` rest on prices too old to measure
    losses by: `fall` and `days` are without them.
    """

    capital: Notional
    equity: Notional
    fees: Notional
    written_off: Notional
    model_cost_usd: Decimal
    unpriced: int
    first_ms: int | None
    newest_ms: int | None
    points: int
    stale_points: int
    held_ms: int
    fall: Fall | None
    days: tuple[Worth, ...]
    trades: TradeSums
