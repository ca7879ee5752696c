"""Bots as one watches them: a table, or where the terminal is narrow a few lines for each."""

from collections.abc import Iterator
from datetime import tzinfo
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from oxbot.app.overview import HeldCoin
from oxbot.app.telling import NOTHING, coins, gain, money, price, span, when
from oxbot.app.watching import Look, WatchedBot
from oxbot.cli import output
from oxbot.cli.bot_pages import LIVE_STYLE
from oxbot.domain.bot import BotStatus, Mode
from oxbot.domain.market import base_of

WIDE: Final = 110
"""Columns that the table needs; a narrower terminal gets lines."""

STYLES: Final = {
    BotStatus.RUNNING: "green",
    BotStatus.PAUSED: "yellow",
    BotStatus.CLOSING: "magenta",
    BotStatus.STOPPED: "dim",
}
COLUMNS: Final = (
    "bot",
    "status",
    "equity>",
    "PnL>",
    "positions",
    "last decision, last event",
    "next>",
)


def render(look: Look, zone: tzinfo, width: int, trouble: str = "") -> RenderableType:
    """Draw one look; `trouble` is what kept the next look from being taken."""
    count = len(look.bots)
    head = f"{when(look.at_ms, zone)}   {count} bot{'' if count == 1 else 's'}"
    parts: list[RenderableType] = [Text(head, "dim", no_wrap=True, overflow="ellipsis")]
    if trouble:
        parts.append(Text(trouble, "bold red"))
    if not look.bots:
        parts.append(Text("No bot trades. Make one: oxbot bots create"))
    elif width >= WIDE:
        rows = (_row(bot, look, zone) for bot in look.bots)
        parts.append(output.table("", COLUMNS, rows, tight=True))
    else:
        parts += [line for bot in look.bots for line in _lines(bot, look, zone)]
    return Group(*parts)


def _row(bot: WatchedBot, look: Look, zone: tzinfo) -> tuple[str | Text, ...]:
    return (
        Text.assemble(bot.id, "\n", (bot.name, "dim")),
        _status(bot),
        money(bot.equity),
        _gain(bot),
        Text("\n").join(_position(held) for held in bot.positions) or Text(NOTHING),
        Text("\n").join((Text(bot.decision or NOTHING), *_said(bot, look))),
        _next(bot, zone),
    )


def _lines(bot: WatchedBot, look: Look, zone: tzinfo) -> Iterator[Text]:
    """Tell of a bot in lines that are cut, not wrapped, where the terminal ends."""
    equity = Text.assemble(f"  {money(bot.equity)} USDT  ", _gain(bot))
    lines = (
        Text.assemble((bot.id, "bold"), "  ", _status(bot), f"  next {_next(bot, zone)}"),
        equity,
        *(Text.assemble("  ", _position(held)) for held in bot.positions),
        Text(f"  {bot.decision or 'no decision yet'}"),
        *(Text.assemble("  ", said) for said in _said(bot, look)),
    )
    for line in lines:
        line.no_wrap, line.overflow = True, "ellipsis"
        yield line


def _status(bot: WatchedBot) -> Text:
    live = (" LIVE", LIVE_STYLE) if bot.mode == Mode.LIVE else ""
    return Text.assemble((str(bot.status), STYLES[bot.status]), live)


def _gain(bot: WatchedBot) -> Text:
    return Text(gain(bot.pnl), "red" if bot.pnl < 0 else "green")


def _position(held: HeldCoin) -> Text:
    lost = held.unrealised is not None and held.unrealised < 0
    return Text.assemble(
        f"{base_of(held.symbol)} {coins(held.quantity)} at {price(held.average_price)} ",
        (f"stop {price(held.stop_price)} ", "dim"),
        (gain(held.unrealised), "red" if lost else "green"),
    )


def _said(bot: WatchedBot, look: Look) -> Iterator[Text]:
    if bot.event is not None:
        ago = span(look.at_ms - bot.event.at_ms)
        yield Text(f"{bot.event.text} ({ago} ago)", "dim")
    if bot.unanswered is not None:
        yield Text(bot.unanswered, "red")


def _next(bot: WatchedBot, zone: tzinfo) -> str:
    """Give the venue's time of day at which the next cycle is due."""
    return when(bot.next_due_ms, zone)[-8:] if bot.next_due_ms is not None else NOTHING
