"""`oxbot audit ...`: whether the books agree with the fills they were made from."""

from typing import Annotated

import typer

# As in `bots`: each command imports what it needs when it runs.
# ruff: noqa: PLC0415

app = typer.Typer(help="Check the books.", no_args_is_help=True)


@app.callback()
def _audits() -> None:
    """Check the books."""


@app.command()
def ledger(
    bot_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="One bot; else all of them.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Make the books again from all fills; exits with 1 where they differ by any digit."""
    from oxbot.cli import audit_run

    audit_run.ledger(bot_id, as_json=as_json)
