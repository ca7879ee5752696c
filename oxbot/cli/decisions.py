"""`oxbot decisions ...`: what models were shown, what they said, and what came of it."""

from typing import Annotated

import typer

# As in `bots`: each command imports what it needs when it runs.
# ruff: noqa: PLC0415

app = typer.Typer(help="Look at what models decided.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@app.command("list")
def list_(
    *,
    bot: Annotated[
        str | None, typer.Option(metavar="ID", help="One bot; else all of them.")
    ] = None,
    last: Annotated[int, typer.Option(min=1, max=10_000, help="How many, the newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the last decisions with their tokens and cost."""
    from oxbot.cli import decisions_run

    decisions_run.list_(bot, last, as_json=as_json)


@app.command()
def show(
    decision_id: Annotated[
        str, typer.Argument(metavar="ID", help="The decision's id; see `oxbot decisions list`.")
    ],
    *,
    prompt: Annotated[
        bool, typer.Option("--prompt/--no-prompt", help="Also what the model was shown.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Show one decision: seen, said, judged, done, and what came of it."""
    from oxbot.cli import decisions_run

    decisions_run.show(decision_id, prompt=prompt, as_json=as_json)
