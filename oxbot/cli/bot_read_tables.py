"""A bot's lists, its equity curve and its statistics as tables."""

from collections.abc import Callable, Iterator, Sequence
from datetime import tzinfo
from decimal import Decimal
from typing import Any, Final

from rich.table import Table

from oxbot.app.statistics import Statistics
from oxbot.app.telling import NOTHING, coins, gain, money, percent, price, when
from oxbot.cli.bot_pages import cycles_table, events_table, orders_table, trades_table
from oxbot.cli.output import table
from oxbot.domain.market import base_of
from oxbot.domain.money import plain
from oxbot.records.reading import DecisionLine, EquityPoint, FillRow, LedgerRow


def fills(rows: Sequence[FillRow], zone: tzinfo) -> Table:
    """Make the table of fills; times are the venue's."""
    return table(
        "Fills",
        ("venue time", "what", "quantity>", "price>", "fee>", "in"),
        (
            (
                when(row.at_ms, zone),
                f"{row.side} {base_of(row.symbol)}",
                coins(row.quantity),
                price(row.price),
                plain(row.fee),
                row.fee_currency,
            )
            for row in rows
        ),
    )


def ledger(rows: Sequence[LedgerRow], zone: tzinfo) -> Table:
    """Make the table of the ledger's lines; times are ours."""
    return table(
        "Ledger",
        ("booked", "posting", "account", "amount>", "in"),
        (
            (when(row.booked_ms, zone), row.posting, row.account, plain(row.amount), row.currency)
            for row in rows
        ),
    )


def decisions(rows: Sequence[DecisionLine], zone: tzinfo) -> Table:
    """Make the table of decisions; times are the venue's."""
    return table(
        "Decisions",
        ("id", "venue time", "model", "tokens>", "USD>", "what"),
        (
            (
                row.id,
                when(row.due_ms, zone),
                row.label if row.asked else "(not asked)",
                f"{row.tokens_in}+{row.tokens_out}" if row.tokens_in else NOTHING,
                plain(row.cost_usd),
                row.summary if row.summary is not None else f"held: {row.failed}",
            )
            for row in rows
        ),
        tight=True,
    )


def equity(rows: Sequence[EquityPoint], zone: tzinfo) -> Table:
    """Make the table of an equity curve; times are the venue's."""
    return table(
        "Equity",
        ("venue time", "cycle>", "equity, USDT>", "cash, USDT>"),
        (
            (when(row.at_ms, zone), str(row.cycle), money(row.equity), money(row.cash))
            for row in rows
        ),
    )


def statistics(found: Statistics, zone: tzinfo) -> Table:
    """Make the table of statistics."""
    return table("After fees and model cost", ("", ">"), _lines(found, zone))


def _lines(found: Statistics, zone: tzinfo) -> Iterator[tuple[str, str]]:
    yield "from", when(found.since_ms, zone)
    yield "until", when(found.until_ms, zone)
    yield "capital, USDT", money(found.capital)
    yield "equity, USDT", money(found.equity)
    unpriced = f" ({found.unpriced} answers at an unknown price)" if found.unpriced else ""
    yield "model cost, USD", plain(found.model_cost_usd) + unpriced
    yield "net PnL, USDT", f"{gain(found.net_pnl)} ({_percent(found.net_return)})"
    yield "fees, USDT", money(found.fees)
    if found.written_off:
        yield "written off, USDT", money(found.written_off)
    yield from _risk(found, zone)
    yield from _of_trades(found)


def _risk(found: Statistics, zone: tzinfo) -> Iterator[tuple[str, str]]:
    fall = found.max_drawdown
    at = f" at {when(fall.at_ms, zone)}" if fall and fall.fraction else ""
    yield "maximum drawdown", (_percent(fall.fraction) if fall else NOTHING) + at
    sharpe = NOTHING if found.sharpe is None else f"{found.sharpe:.2f}"
    yield f"Sharpe ratio, of {found.days} days", sharpe
    if found.stale_points:
        yield "points by old prices, left out", f"{found.stale_points} of {found.points}"
    yield "time in the market", _percent(found.time_in_market)


def _of_trades(found: Statistics) -> Iterator[tuple[str, str]]:
    yield "trades", str(found.trades)
    yield "win rate", _percent(found.win_rate)
    factor = NOTHING if found.profit_factor is None else f"{found.profit_factor:.2f}"
    yield "profit factor", factor
    yield "average trade, USDT", gain(found.average_trade)
    yield "best trade, USDT", gain(found.best_trade)
    yield "worst trade, USDT", gain(found.worst_trade)
    for purpose, exits in found.exits.items():
        yield f"closed by {purpose}", f"{exits.trades} ({gain(exits.net_pnl)} USDT)"


def _percent(fraction: Decimal | None) -> str:
    return NOTHING if fraction is None else percent(fraction.quantize(Decimal("0.0001")))


TABLES: Final[dict[str, Callable[[Sequence[Any], tzinfo], Table]]] = {  # Any: of whatever row
    "cycles": cycles_table,
    "orders": lambda rows, _: orders_table(rows),
    "trades": trades_table,
    "fills": fills,
    "ledger": ledger,
    "decisions": decisions,
    "events": lambda rows, _: events_table(rows),
    "equity": equity,
}
