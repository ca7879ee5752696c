"""`oxbot bots close, settings, start, archive, unarchive`: what can be asked for."""

from typing import Annotated

import typer

from oxbot.cli.bot_options import AsJson, Reason, Yes
from oxbot.cli.completing import BotId

# Each command imports what it needs when it runs: `oxbot --help` must stay fast.
# ruff: noqa: PLC0415


def close(
    bot_id: BotId,
    coin: Annotated[str, typer.Argument(metavar="COIN", help="As BTC, BTC/USDT or BTC-USDT.")],
    *,
    reason: Reason = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Sell one coin now, and let the bot go on; 1 if it is not sold yet."""
    from oxbot.cli import bot_close

    bot_close.close(bot_id, coin, reason, ask=not yes and not as_json, as_json=as_json)


def settings(
    bot_id: BotId,
    *,
    wishes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Change it, as name=Ann; repeatable."),
    ] = None,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Show what the bot was made with, or change it while it runs: name, who decides, and so on."""
    from oxbot.cli import bot_settings

    if wishes:
        bot_settings.change(bot_id, wishes, reason, as_json=as_json)
    else:
        bot_settings.show(bot_id, as_json=as_json)


def start(bot_id: BotId, *, as_json: AsJson = False) -> None:
    """Start a bot whose workflow is gone, as a worker does within seconds; else do nothing."""
    from oxbot.cli import bot_shelf

    bot_shelf.start(bot_id, as_json=as_json)


def archive(bot_id: BotId, *, reason: Reason = "", as_json: AsJson = False) -> None:
    """Have lists leave a stopped bot out, which has nothing left."""
    from oxbot.cli import bot_shelf

    bot_shelf.archive(bot_id, reason, as_json=as_json)


def unarchive(bot_id: BotId, *, reason: Reason = "", as_json: AsJson = False) -> None:
    """Have lists show a bot again."""
    from oxbot.cli import bot_shelf

    bot_shelf.unarchive(bot_id, reason, as_json=as_json)


def add_to(app: typer.Typer) -> None:
    """Have `oxbot bots` know these commands."""
    for command in (close, settings, start, archive, unarchive):
        app.command()(command)
