"""What a demo of so many cycles came to, read from the record."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from oxbot.app.bots import Desk
from oxbot.app.overview import HeldCoin, line_of
from oxbot.app.telling import coins, gain, money, price
from oxbot.domain.money import CurrencyAmount, Notional, plain
from oxbot.domain.orders import Purpose
from oxbot.domain.values import Value
from oxbot.records import CycleRow, OrderRow

ALL: Final = 1_000_000
"""More rows than a demo ever has."""


class Figures(Value):
    """What happened in some cycles; `exits` by purpose, with their total."""

    cycles: int
    decisions: int
    orders: int
    fills: int
    exits: dict[str, int]
    skipped: int


class Totals(Figures):
    """What happened over the bot's life; net PnL of all round trips in USDT."""

    trades: int
    net_pnl: Notional


class DemoReport(Figures):
    """One run of the demo. Amounts in USDT, times in seconds since the process started."""

    first_cycle: int
    last_cycle: int
    equity: Notional | None
    cash: Notional
    drift: CurrencyAmount
    positions: tuple[HeldCoin, ...]
    seconds_to_first_decision: float
    seconds: float
    totals: Totals


class Timing(Value):
    """When the first cycle was done and when all were, in seconds since the process started."""

    first_decision_s: float
    all_s: float


async def report(
    desk: Desk, bot_id: str, cycles: range, fills_before: int, timing: Timing
) -> DemoReport:
    """Sum up a run of the demo: the cycles of the range, and the bot's life."""
    line = await line_of(desk.store, await desk.store.bot(bot_id))
    rows, orders = await desk.store.cycles(bot_id, ALL), await desk.store.orders(bot_id, ALL)
    trades = await desk.store.trades(bot_id, ALL)
    audit = await desk.store.audit(bot_id)
    run = figures(
        [row for row in rows if row.cycle in cycles],
        [order for order in orders if order.cycle in cycles],
        audit.fills - fills_before,
    )
    life = figures(rows, orders, audit.fills)
    return DemoReport(
        **run.model_dump(),
        first_cycle=cycles.start,
        last_cycle=cycles.stop - 1,
        equity=line.equity,
        cash=line.cash,
        drift=Decimal(plain(audit.drift)),
        positions=line.positions,
        seconds_to_first_decision=round(timing.first_decision_s, 2),
        seconds=round(timing.all_s, 2),
        totals=Totals(
            **life.model_dump(),
            trades=len(trades),
            net_pnl=Notional(plain(sum((trade.net_pnl for trade in trades), Notional(0)))),
        ),
    )


def figures(cycles: Sequence[CycleRow], orders: Sequence[OrderRow], fills: int) -> Figures:
    """Count what happened; an exit counts when it sold something."""
    exits = Counter(o.purpose for o in orders if o.purpose != Purpose.ENTRY and o.filled)
    return Figures(
        cycles=len(cycles),
        decisions=sum(1 for row in cycles if row.decision),
        orders=len(orders),
        fills=fills,
        exits={**exits, "total": exits.total()},
        skipped=sum(1 for row in cycles if row.skipped),
    )


def told(found: DemoReport) -> str:
    """Say it for people."""
    exits = ", ".join(f"{n} by {by}" for by, n in found.exits.items() if by != "total") or "none"
    held = [
        f"\n  holds     {coins(p.quantity)} {p.symbol} from {price(p.average_price)}"
        for p in found.positions
    ]
    return (
        f"Cycles {found.first_cycle} to {found.last_cycle} in {found.seconds} s "
        f"(the first decision after {found.seconds_to_first_decision} s)\n"
        f"  decisions {found.decisions}, by the baseline rule\n"
        f"  orders    {found.orders}, filled {found.fills}, skipped cycles {found.skipped}\n"
        f"  exits     {exits}\n"
        f"  equity    {money(found.equity)} USDT, cash {money(found.cash)}, "
        f"drift {found.drift}{''.join(held)}\n"
        f"  all time  {found.totals.cycles} cycles, {found.totals.trades} trades, "
        f"net {gain(found.totals.net_pnl)} USDT"
    )
