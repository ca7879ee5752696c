"""Double entry per bot and currency: every posting's entries sum to zero in each currency.

Debits are positive. Accounts:

- `cash`       USDT that is free or reserved
- `capital`    what the owner put in (negative: a source)
- `position:S` what is held of symbol S: its cost in USDT, its quantity in coins
- `fees`       fees paid; a fee taken in the coin stands in the coin and, at the fill's
               price, in USDT, where it leaves the position's cost
- `realised`   gross profit, negative as income is
- `dust`       remainders too small to sell: cost in USDT, quantity in coins
- `venue`      where coins come from and go to
"""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from oxbot.domain.errors import LedgerBroken
from oxbot.domain.market import QUOTE_CURRENCY, base_of
from oxbot.domain.money import EXACT
from oxbot.domain.orders import Fill
from oxbot.domain.values import Value


class Entry(Value):
    """One line of a posting: so much, in this currency, into this account."""

    account: str
    currency: str
    amount: Decimal


def deposit_entries(amount: Decimal) -> tuple[Entry, ...]:
    """Book the owner's capital, in USDT."""
    return (_usdt("cash", amount), _usdt("capital", -amount))


def buy_entries(fill: Fill, *, notional: Decimal, fee_value: Decimal) -> tuple[Entry, ...]:
    """Book a buy: `notional` and `fee_value` in USDT."""
    coin, held = base_of(fill.symbol), f"position:{fill.symbol}"
    if fill.fee_currency != coin:
        return _some(
            _usdt("cash", -notional - fill.fee),
            _usdt("fees", fill.fee),
            _usdt(held, notional),
            Entry(account=held, currency=coin, amount=fill.quantity),
            Entry(account="venue", currency=coin, amount=-fill.quantity),
        )
    return _some(
        _usdt("cash", -notional),
        _usdt("fees", fee_value),
        _usdt(held, notional - fee_value),
        Entry(account=held, currency=coin, amount=fill.quantity - fill.fee),
        Entry(account="fees", currency=coin, amount=fill.fee),
        Entry(account="venue", currency=coin, amount=-fill.quantity),
    )


def sell_entries(fill: Fill, *, notional: Decimal, cost: Decimal) -> tuple[Entry, ...]:
    """Book a sell: `notional` received before the fee and `cost` given up, in USDT."""
    coin, held = base_of(fill.symbol), f"position:{fill.symbol}"
    return _some(
        _usdt("cash", notional - fill.fee),
        _usdt("fees", fill.fee),
        _usdt(held, -cost),
        _usdt("realised", cost - notional),
        Entry(account=held, currency=coin, amount=-fill.quantity),
        Entry(account="venue", currency=coin, amount=fill.quantity),
    )


def dust_entries(symbol: str, *, quantity: Decimal, cost: Decimal) -> tuple[Entry, ...]:
    """Move what is left of a closed position to dust: `quantity` in coins, `cost` in USDT."""
    coin, held = base_of(symbol), f"position:{symbol}"
    return _some(
        _usdt(held, -cost),
        _usdt("dust", cost),
        Entry(account=held, currency=coin, amount=-quantity),
        Entry(account="dust", currency=coin, amount=quantity),
    )


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


def _usdt(account: str, amount: Decimal) -> Entry:
    return Entry(account=account, currency=QUOTE_CURRENCY, amount=amount)


def _some(*entries: Entry) -> tuple[Entry, ...]:
    return tuple(entry for entry in entries if entry.amount)
