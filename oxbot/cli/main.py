"""The command `oxbot`: joins its commands, and answers for whatever they raise."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.exceptions import TyperException

from oxbot import __version__
from oxbot.cli import (
    audit,
    bots,
    candles,
    config,
    decisions,
    demo,
    events,
    failures,
    model_server,
    positions,
    replay,
    simulator,
    status,
    system,
    users,
)
from oxbot.domain.errors import OxbotError
from oxbot.ending import end_process

app = typer.Typer(
    name="oxbot",
    help="0xBot: crypto trading bots as durable workflows.",
    epilog=failures.EXPLAINED,
    pretty_exceptions_enable=False,
)
app.command()(demo.demo)
app.command()(replay.replay)
app.command()(system.up)
app.command()(system.doctor)
app.command()(status.status)
app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,
)(system.temporal)
app.command()(simulator.simulator)
app.command()(model_server.model_server)
app.command()(positions.positions)
app.add_typer(bots.app, name="bots")
app.add_typer(events.app, name="events")
app.add_typer(users.app, name="users")
app.add_typer(decisions.app, name="decisions")
app.add_typer(audit.app, name="audit")
app.add_typer(candles.app, name="candles")
app.add_typer(config.app, name="config")


@app.callback(invoke_without_command=True)
def _top(
    context: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    if version:
        typer.echo(f"oxbot {__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> None:
    """Run the command line and end the process with its exit code."""
    end_process(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and give its exit code; see `failures.EXPLAINED`."""
    as_json = "--json" in arguments
    try:
        code = app(args=list(arguments), prog_name="oxbot", standalone_mode=False)
    except OxbotError as error:
        failures.tell(type(error).__name__, str(error), as_json=as_json)
        return failures.exit_code(error)
    except TyperException as error:
        return _tell_usage(error, as_json=as_json)
    except (KeyboardInterrupt, typer.Abort):
        return failures.INTERRUPTED
    return code if isinstance(code, int) else 0


def _tell_usage(error: TyperException, *, as_json: bool) -> int:
    """Say what is wrong with the command line, unless its help was shown already."""
    if message := error.format_message():
        context: object = getattr(error, "ctx", None)
        path = getattr(context, "command_path", "oxbot")
        failures.tell("Usage", f"{message} See `{path} --help`.", as_json=as_json)
    return failures.USAGE
