"""`oxbot bots cycles, orders, trades, fills, ledger, decisions, events, equity, stats`."""

from typing import TYPE_CHECKING, Annotated

import typer

from oxbot.cli.bot_options import AsJson
from oxbot.cli.completing import BotId

# Each command imports what it needs when it runs: `oxbot --help` must stay fast.
# ruff: noqa: PLC0415

if TYPE_CHECKING:
    from oxbot.cli.bot_reads_run import Wish

Limit = Annotated[int, typer.Option(min=1, max=500, help="How many, the newest first.")]
Cursor = Annotated[
    str | None, typer.Option(help="Those that are older than this: what the last page ended with.")
]
Every = Annotated[bool, typer.Option("--all", help="All there are, however many.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="As CSV, with units and UTC times.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to `oxbot bots`."""
    for command in (cycles, orders, trades, fills, ledger, decisions, events, equity, stats):
        app.command()(command)


def cycles(
    bot_id: BotId,
    *,
    limit: Limit = 20,
    cursor: Cursor = None,
    every: Every = False,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """List cycles: what came of each."""
    _show("cycles", _wish(bot_id, (limit, cursor), every=every, as_csv=as_csv, as_json=as_json))


def orders(
    bot_id: BotId,
    *,
    limit: Limit = 20,
    cursor: Cursor = None,
    every: Every = False,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """List orders with what they filled."""
    _show("orders", _wish(bot_id, (limit, cursor), every=every, as_csv=as_csv, as_json=as_json))


def trades(
    bot_id: BotId,
    *,
    limit: Limit = 20,
    cursor: Cursor = None,
    every: Every = False,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """List round trips, and what each earned."""
    _show("trades", _wish(bot_id, (limit, cursor), every=every, as_csv=as_csv, as_json=as_json))


def fills(
    bot_id: BotId,
    *,
    limit: Limit = 20,
    cursor: Cursor = None,
    every: Every = False,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """List fills with their fees."""
    _show("fills", _wish(bot_id, (limit, cursor), every=every, as_csv=as_csv, as_json=as_json))


def ledger(
    bot_id: BotId,
    *,
    limit: Limit = 20,
    cursor: Cursor = None,
    every: Every = False,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """List the ledger's lines."""
    _show("ledger", _wish(bot_id, (limit, cursor), every=every, as_csv=as_csv, as_json=as_json))


def decisions(
    bot_id: BotId,
    *,
    limit: Limit = 20,
    cursor: Cursor = None,
    every: Every = False,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """List decisions with tokens and cost; `oxbot decisions show` shows one in full."""
    _show("decisions", _wish(bot_id, (limit, cursor), every=every, as_csv=as_csv, as_json=as_json))


def events(
    bot_id: BotId,
    *,
    limit: Limit = 20,
    cursor: Cursor = None,
    every: Every = False,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """List what happened, in sentences."""
    _show("events", _wish(bot_id, (limit, cursor), every=every, as_csv=as_csv, as_json=as_json))


def equity(
    bot_id: BotId,
    *,
    points: Annotated[int, typer.Option(min=2, max=2_000, help="At most so many.")] = 20,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """Show the equity curve, thinned out; --csv gives all points there are, newest first."""
    from oxbot.cli import bot_reads_run

    if as_csv:
        wish = _wish(bot_id, (points, None), every=True, as_csv=True, as_json=False)
        bot_reads_run.show("equity", wish)
    else:
        bot_reads_run.show_curve(bot_id, points, as_json=as_json)


def stats(bot_id: BotId, *, as_json: AsJson = False) -> None:
    """Show how the bot did, after fees and what its models cost."""
    from oxbot.cli import bot_reads_run

    bot_reads_run.show_statistics(bot_id, as_json=as_json)


def _wish(
    bot_id: str, part: tuple[int, str | None], *, every: bool, as_csv: bool, as_json: bool
) -> "Wish":
    from oxbot.cli.bot_reads_run import Wish
    from oxbot.domain.errors import InputError

    if as_csv and as_json:
        raise InputError("Nothing was read: say --csv or --json, not both.")
    form = "csv" if as_csv else "json" if as_json else "table"
    return Wish(bot_id, part[0], part[1], every, form)


def _show(name: str, wish: "Wish") -> None:
    from oxbot.cli import bot_reads_run

    bot_reads_run.show(name, wish)
