"""`oxbot demo --fresh`: an emptied data directory."""

import asyncio
import shutil
import sys
from typing import Final

import typer
from rich.prompt import Confirm

from oxbot.domain.errors import InputError
from oxbot.embedded.leftovers import Records, end_leftovers
from oxbot.embedded.paths import DataDirectory
from oxbot.embedded.servers import own_data_directory
from oxbot.settings import Settings

OURS: Final = (
    "postgres",
    ".postgres-new",
    "redis",
    "temporal",
    "run",
    "logs",
    "simulator.json",
    "simulator.faults.json",
    "simulator.log.jsonl",
    "children.json",
)
"""What a system keeps in its data directory; nothing else is touched."""


def empty(settings: Settings, *, ask: bool) -> None:
    """Remove what a system keeps in the data directory.

    Raises:
        InputError: Nobody can be asked, and --yes was not said.
        SetupError: A system runs there.
        typer.Exit: The answer was no.
    """
    root = DataDirectory.of(settings.home).root
    if not root.exists():
        return
    question = f"Delete all bots, orders and histories in {root}?"
    if ask and not sys.stdin.isatty():
        raise InputError(f"{question} Nobody can be asked here; say --yes.")
    if ask and not Confirm.ask(question, default=False):
        raise typer.Exit
    asyncio.run(_empty(settings))


async def _empty(settings: Settings) -> None:
    """Hold the directory, end what an earlier run left, remove what is ours."""
    with own_data_directory(settings) as data:
        await end_leftovers(Records(data))
        for name in OURS:
            path = data.root / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
