"""`oxbot bots cycles, orders, trades, fills, ledger, decisions, events, equity, stats`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Final

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


LISTS: Final = {
    "cycles": "List cycles: what came of each.",
    "orders": "List orders with what they filled.",
    "trades": "List round trips, and what each earned.",
    "fills": "List fills with their fees.",
    "ledger": "List the ledger's lines.",
    "decisions": "List decisions with tokens and cost; `oxbot decisions show` shows one in full.",
    "events": "List what happened, in sentences.",
}
"""The lists, each with what its command is for."""


def add_to(app: typer.Typer) -> None:
    """Add these commands to `oxbot bots`."""
    for name, told in LISTS.items():
        app.command(name, help=told)(_lister(name))
    app.command()(equity)
    app.command()(stats)


def _lister(name: str) -> Callable[..., None]:
    """Make the command of one list; all take the same options."""

    def listed(
        bot_id: BotId,
        *,
        limit: Limit = 20,
        cursor: Cursor = None,
        every: Every = False,
        as_csv: AsCsv = False,
        as_json: AsJson = False,
    ) -> None:
        from oxbot.cli import bot_reads_run

        wish = _wish(bot_id, (limit, cursor), every=every, as_csv=as_csv, as_json=as_json)
        bot_reads_run.show(name, wish)

    return listed


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
