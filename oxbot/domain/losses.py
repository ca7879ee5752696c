"""What is gone from an account, taken off a bot's books: USDT as such, coins at what they cost.

Pure functions, as settling is: writing off, and every audit of what was written off, is this.
"""

from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, StringConstraints

from oxbot.domain.decimals import no_float
from oxbot.domain.errors import LedgerBroken
from oxbot.domain.ledger import Entry, dust_entries, held_account, lost_coin_entries
from oxbot.domain.market import Instrument
from oxbot.domain.money import EXACT, CurrencyAmount, Notional, Quantity, decimal_from, plain, share
from oxbot.domain.orders import Purpose
from oxbot.domain.portfolio import Position, Trade, round_trip
from oxbot.domain.values import Value

SMALLEST: Final = Decimal("1E-18")
"""What is missing is written off to so many digits, and up: the account has the rest."""

DIFFERS: Final = "account_differs"
AGREES: Final = "account_agrees"
"""Kinds of the events that tell what record and account do not agree in, and no longer."""

Amounts = Mapping[str, Decimal]
"""Amounts by currency."""

LostAmount = Annotated[
    Decimal, Field(gt=0, le=10**18, max_digits=38, decimal_places=18), BeforeValidator(no_float)
]
"""What a person says to be gone of a currency, as exact as the record can have it."""

Losses = Annotated[
    dict[Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,20}$")], LostAmount],
    Field(min_length=1, max_length=40),
]
"""What a person says to be gone, by currency."""


class Lack(Value):
    """What an account has too little of, in `currency`: what is claimed of it, and what it has."""

    currency: str
    claimed: CurrencyAmount
    held: CurrencyAmount

    @property
    def missing(self) -> Decimal:
        """How much is missing."""
        return EXACT.subtract(self.claimed, self.held)

    def __str__(self) -> str:
        """Say it in figures."""
        return (
            f"the account has {plain(self.held)} {self.currency}, and live bots hold "
            f"{plain(self.claimed)}: {plain(self.missing)} {self.currency} are missing"
        )


def lacks_of(claimed: Amounts, has: Amounts) -> tuple[Lack, ...]:
    """Give where an account has less than is claimed of it."""
    held = {currency: has.get(currency, Decimal(0)) for currency in claimed}
    return tuple(
        Lack(currency=currency, claimed=amount, held=held[currency])
        for currency, amount in sorted(claimed.items())
        if held[currency] < amount
    )


def losses_of(lacks: Iterable[Lack], owned: Amounts) -> dict[str, Decimal]:
    """Give what can be written off for one who owns this: what is missing, at most what he has."""
    losses = {
        lack.currency: min(
            lack.missing.quantize(SMALLEST, ROUND_CEILING, EXACT),
            owned.get(lack.currency, Decimal(0)),
        )
        for lack in lacks
    }
    return {
        currency: decimal_from(plain(amount)) for currency, amount in losses.items() if amount > 0
    }


class CoinBooks(Value):
    """What a bot's books have of one coin: the position, and dust with what it cost."""

    position: Position | None
    dust: Quantity = Quantity(0)
    dust_cost: Notional = Notional(0)


class CoinLoss(Value):
    """What writing coins off makes of a coin's books: what is left, its cost, the ledger.

    `cost` (USDT) is what the lost coins had cost. A trade, where the position has come to its end.
    """

    left: CoinBooks
    cost: Notional
    entries: tuple[Entry, ...]
    trade: Trade | None = None


def lose_coins(
    symbol: str, books: CoinBooks, lost: Quantity, instrument: Instrument, at_ms: int
) -> CoinLoss:
    """Take lost coins off a coin's books: off dust first, which nobody could sell.

    Args:
        symbol: Of which pair.
        books: As they are.
        lost: Coins; at most what the books have.
        instrument: Decides what is dust.
        at_ms: When (venue time).

    Raises:
        LedgerBroken: So much is not there.
    """
    held = books.position.quantity if books.position else Quantity(0)
    of_dust = min(lost, books.dust)
    if lost <= 0 or of_dust < 0 or lost - of_dust > max(held, Quantity(0)):
        raise LedgerBroken(
            f"{lost} of {symbol} cannot be written off: {held + books.dust} are held."
        )
    swept = _off_dust(symbol, books, of_dust)
    if books.position is None or lost == of_dust:
        return swept
    return _off_position(books.position, swept, (lost - of_dust, instrument, at_ms))


def _off_dust(symbol: str, books: CoinBooks, lost: Quantity) -> CoinLoss:
    if not lost:
        return CoinLoss(left=books, cost=Notional(0), entries=())
    cost = share(books.dust_cost, lost, books.dust)
    rest = {"dust": books.dust - lost, "dust_cost": books.dust_cost - cost}
    return CoinLoss(
        left=books.model_copy(update=rest),
        cost=cost,
        entries=lost_coin_entries("dust", symbol, quantity=lost, cost=cost),
    )


def _off_position(
    held: Position, swept: CoinLoss, loss: tuple[Quantity, Instrument, int]
) -> CoinLoss:
    """Take coins off a position; what is left of it too small to be closed becomes dust."""
    lost, instrument, at_ms = loss
    rest = held.quantity - lost
    rest_cost = share(held.cost, rest, held.quantity)
    after = {"quantity": rest, "cost": rest_cost, "version": held.version + 1}
    left, stays = held.model_copy(update=after), instrument.is_tradable(rest)
    dust, dust_cost = (Quantity(0), Notional(0)) if stays else (rest, rest_cost)
    account, cost = held_account(held.symbol), held.cost - rest_cost
    return CoinLoss(
        left=CoinBooks(
            position=left if stays else None,
            dust=swept.left.dust + dust,
            dust_cost=swept.left.dust_cost + dust_cost,
        ),
        cost=swept.cost + cost,
        entries=swept.entries
        + lost_coin_entries(account, held.symbol, quantity=lost, cost=cost)
        + dust_entries(held.symbol, quantity=dust, cost=dust_cost),
        trade=None if stays else round_trip(held, left, (Purpose.WRITE_OFF, at_ms), dust_cost),
    )
