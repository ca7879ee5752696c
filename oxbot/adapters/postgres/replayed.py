"""A bot's books kept in memory, from nothing but its deposit, its fills and its losses."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import RowMapping

from oxbot.domain.ledger import Entry, deposit_entries, lost_cash_entries
from oxbot.domain.losses import CoinBooks, lose_coins
from oxbot.domain.market import QUOTE_CURRENCY, Instrument
from oxbot.domain.money import Amount, Notional, Quantity
from oxbot.domain.orders import Fill, Order
from oxbot.domain.portfolio import Position, Trade
from oxbot.domain.settlement import settle

Amounts = dict[tuple[str, ...], Decimal]
"""Numbers by what they are of, such as ("cash",) or ("ledger", "fees", "USDT")."""

_OF_POSITION = (
    "quantity",
    "cost",
    "entry_quantity",
    "entry_notional",
    "exit_quantity",
    "exit_notional",
    "paid",
    "received",
    "fees",
    "opened_ms",
    "stop",
    "target",
    "version",
)
_OF_TRADE = (
    "quantity",
    "entry_price",
    "exit_price",
    "fees",
    "net_pnl",
    "opened_ms",
    "closed_ms",
)


class Replay:
    """Books kept in memory, from nothing but a deposit, fills and losses."""

    def __init__(self, capital: Notional) -> None:
        self._cash = capital
        self._positions: dict[str, Position] = {}
        self._dust: defaultdict[str, Quantity] = defaultdict(Quantity)
        self._dust_costs: defaultdict[str, Notional] = defaultdict(Notional)
        self._last_fills: dict[str, int] = {}
        self._others: Amounts = defaultdict(Decimal)
        self._add(deposit_entries(capital))

    def book(self, row: RowMapping) -> None:
        """Settle one fill as it was settled then."""
        fill, order = _fill_from(row), _order_from(row)
        held = self._positions.pop(fill.symbol, None)
        change = settle(held, self._cash, order, fill, _steps(row, fill.symbol), last=row["last"])
        self._cash = change.cash
        self._last_fills[fill.symbol] = row["fill_id"]
        self._dust[fill.symbol] += change.dust
        self._dust_costs[fill.symbol] += _dust_cost(change.entries)
        self._keep(fill.symbol, change.position, change.trade)
        self._add(change.entries)

    def lose(self, row: RowMapping) -> None:
        """Write off as it was written off then."""
        symbol = row["symbol"]
        if symbol is None:
            lost = Notional(row["amount"])
            self._cash -= lost
            self._add(lost_cash_entries(lost))
            return
        books = CoinBooks(
            position=self._positions.pop(symbol, None),
            dust=self._dust[symbol],
            dust_cost=self._dust_costs[symbol],
        )
        lost_coins = Quantity(row["amount"])
        change = lose_coins(symbol, books, lost_coins, _steps(row, symbol), row["at"])
        self._dust[symbol], self._dust_costs[symbol] = change.left.dust, change.left.dust_cost
        self._keep(symbol, change.left.position, change.trade)
        self._add(change.entries)

    def _keep(self, symbol: str, position: Position | None, trade: Trade | None) -> None:
        if position:
            self._positions[symbol] = position
        if trade:
            self._others.update(of_trade(self._last_fills[symbol], trade.model_dump()))

    def _add(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            self._others["ledger", entry.account, entry.currency] += entry.amount

    def amounts(self) -> Amounts:
        """Give everything that can be compared."""
        dust: Amounts = {("dust", symbol): rest.number for symbol, rest in self._dust.items()}
        return {
            ("cash",): self._cash.number,
            **of_positions(self._positions),
            **dust,
            **self._others,
        }


def _dust_cost(entries: Iterable[Entry]) -> Notional:
    """Sum what these entries have put to dust, in USDT."""
    dust = (e.amount for e in entries if (e.account, e.currency) == ("dust", QUOTE_CURRENCY))
    return Notional(sum(dust, Decimal(0)))


def _steps(row: RowMapping, symbol: str) -> Instrument:
    """Give what a row was booked under."""
    return Instrument(symbol=symbol, tick=row["tick"], lot=row["lot"], minimum=row["minimum"])


def of_positions(positions: dict[str, Position]) -> Amounts:
    """Give every figure of positions."""
    return {
        ("position", symbol, name): _number(getattr(position, name))
        for symbol, position in positions.items()
        for name in _OF_POSITION
    }


def of_trade(fill_id: int, trade: Mapping[str, Any]) -> Amounts:  # Any: rows and dumps have it
    """Give a trade's figures; what it is called goes with them, so that it must agree as well."""
    called = (str(trade[name]) for name in ("symbol", "direction", "exit"))
    key = ("trade", str(fill_id), *called)
    return {(*key, name): _number(trade[name]) for name in _OF_TRADE}


def _number(value: Amount | Decimal | int) -> Decimal:
    return value.number if isinstance(value, Amount) else Decimal(value)


def _fill_from(row: RowMapping) -> Fill:
    return Fill.model_validate({name: row[f"fill.{name}"] for name in Fill.model_fields})


def _order_from(row: RowMapping) -> Order:
    return Order.model_validate({name: row[f"order.{name}"] for name in Order.model_fields})
