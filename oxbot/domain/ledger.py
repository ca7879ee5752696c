"""Double entry per bot and currency: every posting's entries sum to zero in each currency.

Debits are positive. Accounts:

- `cash`       USDT that is free or reserved
- `capital`    what the owner put in (negative: a source)
- `position:S` what is held of symbol S: its cost in USDT, its quantity in coins; both are
               negative where it is owed
- `fees`       fees paid; a fee taken in the coin stands in the coin and, at the fill's
               price, in USDT, where it leaves the position's cost
- `realised`   gross profit, negative as income is
- `dust`       remainders too small to trade: cost in USDT, quantity in coins
- `lost`       what was gone from the exchange's account and written off: USDT, and of coins their
               cost in USDT and their quantity
- `venue`      where coins come from and go to
"""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from oxbot.domain.errors import LedgerBroken
from oxbot.domain.market import QUOTE_CURRENCY, base_of
from oxbot.domain.money import EXACT, CurrencyAmount, Notional, Quantity
from oxbot.domain.orders import Fill
from oxbot.domain.values import Value


class Entry(Value):
    """One line of a posting: so much, in this currency, into this account."""

    account: str
    currency: str
    amount: CurrencyAmount


def deposit_entries(amount: Notional) -> tuple[Entry, ...]:
    """Book the owner's capital, in USDT."""
    return (_usdt("cash", amount), _usdt("capital", -amount))


def fill_entries(fill: Fill, *, cost: Notional) -> tuple[Entry, ...]:
    """Book a fill that changes the position's cost by so much; what is over is realised."""
    coin, held = base_of(fill.symbol), held_account(fill.symbol)
    return _some(
        _usdt("cash", fill.cash),
        _usdt("fees", fill.fee_value),
        _usdt(held, cost),
        _usdt("realised", fill.value - cost),
        _coins(held, coin, fill.coins),
        _coins("fees", coin, fill.fee_in_coin),
        _coins("venue", coin, -fill.coins - fill.fee_in_coin),
    )


def dust_entries(symbol: str, *, quantity: Quantity, cost: Notional) -> tuple[Entry, ...]:
    """Move what is left of a closed position to dust, with what it cost."""
    coin, held = base_of(symbol), held_account(symbol)
    return _some(
        _usdt(held, -cost),
        _usdt("dust", cost),
        _coins(held, coin, -quantity),
        _coins("dust", coin, quantity),
    )


def lost_cash_entries(amount: Notional) -> tuple[Entry, ...]:
    """Write USDT off."""
    return (_usdt("cash", -amount), _usdt("lost", amount))


def lost_coin_entries(
    account: str, symbol: str, *, quantity: Quantity, cost: Notional
) -> tuple[Entry, ...]:
    """Write coins off an account that has them, at what they cost."""
    coin = base_of(symbol)
    return _some(
        _usdt(account, -cost),
        _usdt("lost", cost),
        _coins(account, coin, -quantity),
        _coins("lost", coin, quantity),
    )


def held_account(symbol: str) -> str:
    """Name the account of what is held of a symbol."""
    return f"position:{symbol}"


def must_balance(entries: Iterable[Entry]) -> None:
    """Check that the entries sum to zero in each currency.

    Raises:
        LedgerBroken: They do not.
    """
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for entry in entries:
        sums[entry.currency] = EXACT.add(sums[entry.currency], entry.amount)
    off = {currency: total for currency, total in sums.items() if total}
    if off:
        raise LedgerBroken(f"A posting does not balance: {off}. Nothing of it was booked.")


def _usdt(account: str, amount: Notional) -> Entry:
    return Entry(account=account, currency=QUOTE_CURRENCY, amount=amount.number)


def _coins(account: str, coin: str, quantity: Quantity) -> Entry:
    return Entry(account=account, currency=coin, amount=quantity.number)


def _some(*entries: Entry) -> tuple[Entry, ...]:
    return tuple(entry for entry in entries if entry.amount)
