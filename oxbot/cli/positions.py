"""`oxbot positions` and `oxbot bots positions`: what can be asked for."""

import typer

from oxbot.cli.bot_options import AsJson
from oxbot.cli.completing import BotId

# Each command imports what it needs when it runs: `oxbot --help` must stay fast.
# ruff: noqa: PLC0415


def positions(*, as_json: AsJson = False) -> None:
    """Show what all bots hold, and what it would come to if it were closed now."""
    from oxbot.cli import positions_run

    positions_run.show(None, as_json=as_json)


def of_one(bot_id: BotId, *, as_json: AsJson = False) -> None:
    """Show what the bot holds: prices, stops, and what closing would come to after all fees."""
    from oxbot.cli import positions_run

    positions_run.show(bot_id, as_json=as_json)


def add_to(app: typer.Typer) -> None:
    """Have `oxbot bots` know the command."""
    app.command("positions")(of_one)
