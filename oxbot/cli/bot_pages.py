"""A bot, and a list of bots, as tables of at most 80 columns."""

import time
from collections.abc import Sequence
from datetime import tzinfo
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from oxbot.app.bots import BotPage
from oxbot.app.market_status import MarketStatus, circuits_told, feed_told
from oxbot.app.overview import BotLine
from oxbot.app.telling import NOTHING, coins, gain, money, price, span, when, where
from oxbot.cli.output import table
from oxbot.domain.bot import BotSettings, Mode
from oxbot.domain.decision import DecisionCounts
from oxbot.domain.market import Quote, base_of
from oxbot.domain.money import plain
from oxbot.messages import BotView, ControlAnswer
from oxbot.records import CycleRow, EventRow, OrderRow, TradeRow

LIVE_STYLE: Final = "bold red"
"""Of whatever tells that a bot trades for real: nobody is to overlook it."""


def answer(bot_id: str, given: ControlAnswer) -> str:
    """Say what holds from now on, and what can still happen."""
    lines = [f"Bot {bot_id} is {given.status}."]
    if given.in_flight:
        orders = ", ".join(given.in_flight)
        lines.append(f"Orders that can still be sent or filled: {orders}.")
        lines.append(f"`oxbot bots show {bot_id}` says when they are done.")
    if not given.recorded:
        lines.append("PostgreSQL does not have it yet; the bot writes it as soon as it can.")
    return "\n".join(lines)


def write_list(console: Console, lines: Sequence[BotLine], zone: tzinfo) -> None:
    """Write a line for each bot."""
    if not lines:
        console.print("There is no bot yet. Make one: oxbot bots create")
        return
    columns = ("id", "name", "mode", "status", "cycle>", "equity>", "holds", "since")
    console.print(table("", columns, (_list_line(line, zone) for line in lines)))


def _list_line(line: BotLine, zone: tzinfo) -> tuple[str | Text, ...]:
    held = " ".join(base_of(position.symbol) for position in line.positions)
    return (
        line.bot.id,
        line.bot.settings.name,
        mode_told(line.bot.settings.mode),
        line.bot.status,
        str(line.last.cycle) if line.last else NOTHING,
        money(line.equity),
        held or NOTHING,
        when(line.bot.created_ms, zone)[:10],
    )


def mode_told(mode: Mode) -> str | Text:
    """Name a mode, live in red."""
    return Text("LIVE", LIVE_STYLE) if mode is Mode.LIVE else str(mode)


def write_page(
    console: Console, page: BotPage, line: BotLine, market: MarketStatus | None, zone: tzinfo
) -> None:
    """Write one bot in full. Trading times are the venue's, those of events are ours."""
    for told in (*_head(page, zone), *_prices(market)):
        console.print(told)
    if line.positions:
        console.print("", _positions(line, market.venue_ms if market else None))
    if page.cycles:
        console.print("", cycles_table(page.cycles, zone))
    if page.orders:
        console.print("", orders_table(page.orders))
    if page.trades:
        console.print("", trades_table(page.trades, zone))
    if page.events:
        console.print("", events_table(page.events))


def _head(page: BotPage, zone: tzinfo) -> list[str | Text]:
    settings, view = page.bot.settings, page.view
    coins_named = ", ".join(base_of(symbol) for symbol in settings.symbols)
    lines: list[str | Text] = [
        f"{settings.name} ({page.bot.id}): {view.status if view else page.bot.status}",
        Text.assemble(f"{coins_named}: ", where_told(settings)),
        f"a cycle every {settings.interval_s} s, decided by {settings.deciders}",
        _asked(page.decisions),
        f"cash {money(page.cash)} USDT",
    ]
    if view is None:
        return [*lines, f"The workflow does not answer: {page.unanswered}"]
    return [
        *lines,
        f"equity {money(view.equity)} USDT",
        f"cycle {view.cycle}, next at {when(view.next_due_ms, zone)}",
        *_worries(view),
        *_last_skip(page.cycles),
    ]


def where_told(settings: BotSettings) -> Text:
    """Say where a bot's orders go, in red where that is no paper."""
    return Text(where(settings), LIVE_STYLE if settings.mode is Mode.LIVE else "")


def _asked(today: DecisionCounts) -> str:
    """Say how often the model was asked since 00:00 UTC, and how often not and why."""
    skipped = f", skipped {today.gated} (nothing changed)" if today.gated else ""
    unasked = f", not allowed {today.unasked} (budget)" if today.unasked else ""
    told = f"model asked {today.asked} times{skipped}{unasked}"
    return f"{told}; {plain(today.cost_usd)} USD today (UTC)"


def _worries(view: BotView) -> list[str]:
    lines = []
    if view.in_flight:
        lines.append(f"orders under way: {', '.join(view.in_flight)}")
    if view.unwritten:
        lines.append(f"{view.unwritten} cycles wait to be written to PostgreSQL")
    return lines


def _last_skip(newest_first: Sequence[CycleRow]) -> list[str]:
    """Say what went wrong in the newest cycle that is over, if anything did."""
    over = next((row for row in newest_first if row.recorded_ms is not None), None)
    return [f"last cycle, {over.cycle}: {over.skipped}"] if over and over.skipped else []


def _prices(market: MarketStatus | None) -> list[str]:
    if market is None:
        return ["Redis does not answer: prices are those of the last cycle."]
    return [feed_told(market), *circuits_told(market)]


def _positions(line: BotLine, venue_ms: int | None) -> Table:
    return table(
        "Positions, at the newest prices known",
        ("coin", "quantity>", "entry>", "stop>", "target>", "bid>", "age>", "by", "PnL>"),
        (
            (
                base_of(p.symbol),
                coins(p.quantity),
                price(p.average_price),
                price(p.stop_price),
                price(p.target_price),
                price(p.bid),
                *_age_and_source(line.quotes.get(p.symbol), venue_ms),
                gain(p.unrealised),
            )
            for p in line.positions
        ),
        tight=True,
    )


def _age_and_source(quote: Quote | None, venue_ms: int | None) -> tuple[str, str]:
    if quote is None:
        return NOTHING, NOTHING
    return span(None if venue_ms is None else quote.age_ms(venue_ms)), quote.source


def cycles_table(rows: Sequence[CycleRow], zone: tzinfo) -> Table:
    """Make the table of cycles; times are the venue's."""
    return table(
        "Cycles",
        ("cycle>", "venue time", "orders>", "equity>", "what"),
        (
            (
                str(row.cycle),
                when(row.due_ms, zone),
                str(row.orders),
                money(row.equity),
                f"skipped: {row.skipped}" if row.skipped else row.decision,
            )
            for row in rows
        ),
    )


def orders_table(rows: Sequence[OrderRow]) -> Table:
    """Make the table of orders."""
    return table(
        "Orders",
        ("cycle>", "what", "filled>", "price>", "state", "why"),
        (
            (
                str(row.cycle),
                f"{row.side} {base_of(row.symbol)} ({row.purpose})",
                coins(row.filled),
                price(row.price),
                row.state,
                row.reason,
            )
            for row in rows
        ),
    )


def trades_table(rows: Sequence[TradeRow], zone: tzinfo) -> Table:
    """Make the table of round trips; times are the venue's."""
    return table(
        "Trades",
        ("closed", "coin", "entry>", "exit>", "held>", "net PnL>", "by"),
        (
            (
                when(row.closed_ms, zone),
                base_of(row.symbol),
                price(row.entry_price),
                price(row.exit_price),
                span(row.closed_ms - row.opened_ms),
                gain(row.net_pnl),
                row.exit,
            )
            for row in rows
        ),
    )


def events_table(rows: Sequence[EventRow]) -> Table:
    """Make the table of events."""
    now_ms = time.time_ns() // 10**6
    return table(
        "Events",
        ("ago>", "kind", "what"),
        ((span(now_ms - row.at_ms), row.kind, row.text) for row in rows),
    )
