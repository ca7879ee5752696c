"""`oxbot events follow`: what can be asked for."""

from typing import Annotated

import typer

from oxbot.cli.completing import BotIds

# Each command imports what it needs when it runs: `oxbot --help` must stay fast.
# ruff: noqa: PLC0415

app = typer.Typer(help="What bots tell, as it happens.", no_args_is_help=True)


@app.callback()
def _events() -> None:
    """Have `follow` be a command of its own, although it is the only one."""


@app.command()
def follow(
    bots: BotIds = None,
    *,
    after: Annotated[
        str | None,
        typer.Option(metavar="CURSOR", help="What came after this event first; 0-0: everything."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each event.")] = False,
) -> None:
    """Follow events of these bots, or of all, a line each, until Ctrl-C."""
    from oxbot.cli import events_run

    events_run.follow(bots or (), after, as_json=as_json)
