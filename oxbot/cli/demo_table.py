"""The demo's table: 80 columns, about 24 lines."""

from collections.abc import Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from oxbot.app.market_status import circuits_told, feed_told
from oxbot.app.overview import HeldCoin
from oxbot.app.telling import NOTHING, coins, gain, money, price, span, when
from oxbot.cli import output
from oxbot.cli.bot_pages import mode_told
from oxbot.cli.demo_picture import TRY, Links, Picture
from oxbot.domain.market import base_of
from oxbot.records import OrderRow

SHOWN: Final = 3
"""Orders and events that fit."""

MARKET: Final = ("coin", "price>", "age>", "by", "holds>", "entry>", "stop>", "target>", "PnL>")
ORDERS: Final = ("order", "cycle>", "filled>", "price>", "state")


def render(picture: Picture | None, links: Links, trouble: str) -> RenderableType:
    """Draw one look; `trouble` is what kept the next look from being taken."""
    parts: list[RenderableType] = []
    if picture is not None:
        parts += [_head(picture), _feed(picture), _market(picture), _decision(picture)]
        parts += [_orders(picture.page.orders), _events(picture)]
        parts += [Text(line, style="yellow") for line in picture.missed]
    if trouble:
        parts.append(Text(trouble, style="bold red"))
    return Group(*parts, _foot(links))


def _head(picture: Picture) -> Text:
    page, view = picture.page, picture.page.view
    status = view.status if view else page.bot.status
    cycle = page.cycles[0].cycle if page.cycles else 0
    left_ms = view.next_due_ms - picture.time.venue_ms if view and view.next_due_ms else None
    line = Text.assemble(
        ("0xBot demo", "bold cyan"),
        f"  bot {page.bot.id} (",
        mode_told(page.bot.settings.mode),
        f") {status}  ",
        (f"cycle {cycle}", "bold"),
        f"  next in {_wall(left_ms, picture)}",
        f"\nequity {money(picture.line.equity)} USDT",
        f"  cash {money(page.cash)}  drift {picture.audit.drift.normalize():f}",
        (f"\nvenue time {when(picture.time.venue_ms)}, {picture.time.rate} x", "dim"),
    )
    if page.unanswered:
        line.append(f"\n{page.unanswered}", "red")
    return line


def _feed(picture: Picture) -> Text:
    """Where prices come from, and who is not asked for any."""
    line = Text(feed_told(picture.market), style="dim")
    for told in circuits_told(picture.market):
        line.append(f"\n{told}", "bold red")
    return line


def _wall(venue_ms: int | None, picture: Picture) -> str:
    """Give a length of venue time as it passes here."""
    if venue_ms is None or not picture.time.rate:
        return NOTHING
    return span(int(venue_ms / picture.time.rate))


def _market(picture: Picture) -> Table:
    """The newest prices known, with age and source, and what is held."""
    held = {position.symbol: position for position in picture.line.positions}
    lines = [
        (*_seen(symbol, picture), *_held(held.get(symbol)))
        for symbol in picture.page.bot.settings.symbols
    ]
    return output.table("", MARKET, lines, tight=True)


def _seen(symbol: str, picture: Picture) -> tuple[str, ...]:
    quote = picture.line.quotes.get(symbol)
    if quote is None:
        return base_of(symbol), NOTHING, NOTHING, NOTHING
    age = span(quote.age_ms(picture.time.venue_ms))
    return base_of(symbol), price(quote.last), age, quote.source


def _held(position: HeldCoin | None) -> tuple[str | Text, ...]:
    if position is None:
        return (NOTHING,) * 5
    colour = "red" if position.unrealised and position.unrealised < 0 else "green"
    return (
        coins(position.quantity),
        price(position.average_price),
        price(position.stop_price),
        price(position.target_price),
        Text(gain(position.unrealised), style=colour),
    )


def _decision(picture: Picture) -> Text:
    row = picture.page.cycles[0] if picture.page.cycles else None
    if row is None:
        return Text("waiting for the first cycle", style="dim")
    if row.skipped:
        return Text(f"cycle {row.cycle} skipped: {row.skipped}", style="red")
    by = picture.page.bot.settings.provider
    return Text.assemble((f"decision ({by}) ", "bold"), row.decision or NOTHING)


def _orders(rows: Sequence[OrderRow]) -> Table:
    return output.table("", ORDERS, [_order(row) for row in rows[:SHOWN]])


def _order(row: OrderRow) -> tuple[str, ...]:
    what = f"{row.side} {base_of(row.symbol)} ({row.purpose})"
    return what, str(row.cycle), coins(row.filled), price(row.price), row.state


def _events(picture: Picture) -> Text:
    """The last events, but for those that have a line of their own."""
    rows = [row for row in picture.page.events if row.text not in picture.missed]
    return Text("\n".join(row.text for row in rows[:SHOWN]), style="dim")


def _foot(links: Links) -> Text:
    return Text.assemble(
        *(("API    ", "dim"), links.api),
        *(("\nWeb UI ", "dim"), links.web_ui),
        *(("\ntry    ", "dim"), TRY),
    )
