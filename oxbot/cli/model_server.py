"""`oxbot model-server`: what speaks like model providers, on loopback."""

from typing import Annotated

import typer


def model_server(
    *,
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            help="Port on 127.0.0.1 (OXBOT_MODEL_SERVER_PORT); 0 takes a free one.",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Say where it listens as a JSON object.")
    ] = False,
) -> None:
    """Answer as DashScope and OpenAI do, by a plain rule, until Ctrl-C; for tests and demos."""
    from oxbot.model_server.server import run  # noqa: PLC0415 - `oxbot --help` must stay fast
    from oxbot.settings import Settings  # noqa: PLC0415 - as above

    chosen = Settings().model_server_port if port is None else port
    raise typer.Exit(run(chosen, as_json=as_json))
