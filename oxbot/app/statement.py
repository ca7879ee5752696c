"""What bots' books say, in a form in which two runs can be compared to the last digit.

A statement leaves out what no two runs share: wall times, row numbers and the ids of orders.
Fills stand in the order in which they were settled, since average costs depend on it; those of
several coins in one millisecond stand in the order of the coins.
"""

import hashlib
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, Protocol

from oxbot.domain.market import QUOTE_CURRENCY
from oxbot.domain.money import CurrencyAmount, Notional, Price, Quantity, plain
from oxbot.domain.values import Value

NO_BOOKS: Final = {"seen_ms", "stop", "target", "trail", "limit_price"}
"""Fields of a fill that are told beside the books."""


class FillLine(Value):
    """One execution: coins, USDT, the fee in `fee_currency`, venue ms.

    `seen_ms` is the exchange's time of the price that the cycle saw, in venue ms; None where
    the cycle saw none. Of an entry `stop`, `target` and `trail` say what protects it, as
    fractions of the average fill, and `limit_price` (USDT) at how much it would have bought.
    """

    symbol: str
    side: str
    purpose: str
    quantity: Quantity
    price: Price
    fee: CurrencyAmount
    fee_currency: str
    at_ms: int
    seen_ms: int | None
    stop: Decimal | None = None
    target: Decimal | None = None
    trail: Decimal | None = None
    limit_price: Price | None = None

    @property
    def fee_usdt(self) -> Notional:
        """The fee in USDT, at the fill's price."""
        if self.fee_currency == QUOTE_CURRENCY:
            return Notional(self.fee)
        return self.price * Quantity(self.fee)


class TradeLine(Value):
    """One round trip: coins, USDT, venue ms. `fill`, its last one, counts the bot's, from 1."""

    fill: int
    symbol: str
    quantity: Quantity
    entry_price: Price
    exit_price: Price
    fees: Notional
    net_pnl: Notional
    opened_ms: int
    closed_ms: int
    exit: str


class PostingLine(Value):
    """One line of a posting, which is `deposit:1`, or `fill:<n>` for the bot's n-th fill.

    `write_off:<n>` is what was gone from its account, the n-th time of a currency.
    """

    posting: str
    line: int
    account: str
    currency: str
    amount: CurrencyAmount


class Statement(Value):
    """The books of one bot, oldest first."""

    bot_id: str
    fills: tuple[FillLine, ...]
    trades: tuple[TradeLine, ...]
    postings: tuple[PostingLine, ...]


class Statements(Protocol):
    """Where statements are read."""

    async def statement(self, bot_id: str) -> Statement:
        """Give a bot's books as of one moment."""
        ...


def ledger_sha256(statements: Sequence[Statement]) -> str:
    """Digest all fills, trades and postings; the same books give the same digest.

    What a cycle saw and what protects an entry are no part of the books, and left out.
    """
    digest = hashlib.sha256()
    for statement in sorted(statements, key=lambda statement: statement.bot_id):
        for kind in ("fills", "trades", "postings"):
            for line in getattr(statement, kind):
                cells = line.model_dump(exclude=NO_BOOKS).values()
                row = [statement.bot_id, kind, *(_canonical(cell) for cell in cells)]
                digest.update(f"{json.dumps(row)}\n".encode())
    return digest.hexdigest()


def _canonical(cell: object) -> str:
    """Write a number in one way only: 1.50 and 1.5 are the same amount."""
    return plain(cell) if isinstance(cell, Decimal) else str(cell)
