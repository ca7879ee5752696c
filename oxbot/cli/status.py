"""`oxbot status`: what can be asked for."""

from oxbot.cli.bot_options import AsJson

# Each command imports what it needs when it runs: `oxbot --help` must stay fast.
# ruff: noqa: PLC0415


def status(*, as_json: AsJson = False) -> None:
    """Show venue, servers, workers and models; 1 if something is away that trading needs."""
    from oxbot.cli import status_run

    status_run.show(as_json=as_json)
