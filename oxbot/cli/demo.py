"""`oxbot demo`: what can be asked for; what is done is in `demo_run`."""

from pathlib import Path
from typing import Annotated

import typer


def demo(  # noqa: PLR0913 - one parameter for each option of the command
    *,
    cycles: Annotated[
        int | None,
        typer.Option(min=1, max=100_000, help="Run so many cycles as fast as possible, then stop."),
    ] = None,
    speed: Annotated[
        str | None, typer.Option(help="Simulated seconds in a second; 30 unless said.")
    ] = None,
    candles: Annotated[
        Path | None, typer.Option(help="Folder of candle files instead of the generated market.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of the generated market.")] = None,
    provider: Annotated[
        str,
        typer.Option(
            help="Who decides: baseline; or dashscope or openai, whose real client asks a server "
            "on this machine that answers by a plain rule."
        ),
    ] = "baseline",
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Empty the data directory first, then start over.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --cycles: one JSON object on stdout at the end.")
    ] = False,
) -> None:
    """Trade on paper against a simulated OKX until Ctrl-C; the next start goes on from there."""
    from oxbot.cli import demo_run  # noqa: PLC0415 - `oxbot --help` must stay fast

    wishes = demo_run.Wishes(
        cycles=cycles,
        speed=speed,
        candles=candles,
        seed=seed,
        provider=provider,
        fresh=fresh,
        ask=not yes,
    )
    demo_run.run(wishes, as_json=as_json)
