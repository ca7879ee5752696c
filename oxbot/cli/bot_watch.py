"""`oxbot bots watch`: a table that renews itself, or a line of JSON for each look."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from datetime import tzinfo

from pydantic_core import to_jsonable_python
from rich.console import Console
from rich.live import Live

from oxbot.app import telling
from oxbot.app.bots import Desk
from oxbot.app.watching import Look, look_at
from oxbot.cli import output
from oxbot.cli.bot_watch_table import render
from oxbot.cli.config_sources import load_settings
from oxbot.cli.desk import at_desk
from oxbot.domain.errors import Unavailable
from oxbot.logs import configure_logs


def watch(bot_ids: Sequence[str], every_s: float, *, once: bool, as_json: bool) -> None:
    """Show bots until Ctrl-C, or once. NotFound; the first look must succeed."""
    settings = load_settings()
    configure_logs(settings.log_format, "error")  # nothing may be written into the table
    console = output.console()
    zone = telling.zone(settings.timezone)
    try:
        if as_json or not console.is_terminal:
            at_desk(lambda desk: _tell(desk, bot_ids, every_s, once=once))
        elif once:
            console.print(render(at_desk(lambda desk: look_at(desk, bot_ids)), zone, console.width))
        else:
            at_desk(lambda desk: _renew(desk, bot_ids, every_s, (console, zone)))
    except KeyboardInterrupt:  # how one ends it
        return
    except BrokenPipeError:  # whoever read the lines has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


async def _renew(
    desk: Desk, bot_ids: Sequence[str], every_s: float, on: tuple[Console, tzinfo]
) -> None:
    """Renew one table. A server that is away is said under the last look, and asked again."""
    console, zone = on
    look, trouble = await look_at(desk, bot_ids), ""
    with Live(console=console, auto_refresh=False) as live:
        while True:
            live.update(render(look, zone, console.width, trouble), refresh=True)
            await asyncio.sleep(every_s)
            try:
                look, trouble = await look_at(desk, bot_ids), ""
            except Unavailable as error:
                trouble = str(error)


async def _tell(desk: Desk, bot_ids: Sequence[str], every_s: float, *, once: bool) -> None:
    """Write a line for each look; where one cannot be taken, a line that says so."""
    _write(await look_at(desk, bot_ids))
    while not once:
        await asyncio.sleep(every_s)
        try:
            _write(await look_at(desk, bot_ids))
        except Unavailable as error:
            _write({"error": type(error).__name__, "message": str(error)})


def _write(document: Look | dict[str, str]) -> None:
    sys.stdout.write(json.dumps(to_jsonable_python(document), ensure_ascii=False) + "\n")
    sys.stdout.flush()
