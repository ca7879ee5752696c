"""Ids of bots as arguments, which the shell completes where a system runs."""

import asyncio
from typing import Annotated

import typer

# Imported when a person presses TAB after a bot's verb: `oxbot --help` must stay fast.
# ruff: noqa: PLC0415


def bot_ids(incomplete: str) -> list[str]:
    """Give ids of bots that begin with what was typed."""
    from oxbot.adapters.postgres import bot_ids as record
    from oxbot.cli.config_sources import load_settings
    from oxbot.domain.errors import OxbotError
    from oxbot.embedded.addresses import find_running

    try:
        settings = load_settings()
        running = find_running(settings.home)
        url = settings.database_url or (running.addresses.database_url if running else None)
        return asyncio.run(record.bot_ids(url, incomplete)) if url else []
    except OxbotError:  # a shell that completes has no place for a sentence
        return []


BotId = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="The bot's id; see `oxbot bots list`.", autocompletion=bot_ids
    ),
]
MaybeBotId = Annotated[
    str | None,
    typer.Argument(metavar="[ID]", help="The bot's id; or say --all.", autocompletion=bot_ids),
]
BotIds = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[ID]...",
        help="Which ones; else all that are not stopped.",
        autocompletion=bot_ids,
    ),
]
