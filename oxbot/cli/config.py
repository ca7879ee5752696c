"""`oxbot config ...`: what is set, and what can be."""

from typing import Annotated

import typer

app = typer.Typer(help="Show the settings.", no_args_is_help=True)


@app.command()
def show(
    *, as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False
) -> None:
    """Show each setting with its value and where it comes from; secrets stay hidden."""
    from oxbot.cli import config_table  # noqa: PLC0415 - `oxbot --help` must stay fast

    config_table.show(as_json=as_json)


@app.command()
def example() -> None:
    """Print a commented `.env` of all settings, as in .env.example."""
    from oxbot.cli.env_example import env_example  # noqa: PLC0415 - as above

    typer.echo(env_example(), nl=False)
