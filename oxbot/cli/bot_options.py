"""Arguments and options that commands about bots have in common."""

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")]
Reason = Annotated[str, typer.Option(help="Why, for the record.")]
