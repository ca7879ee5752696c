"""`oxbot replay`: what can be asked for; what is done is in `replay_run`."""

from pathlib import Path
from typing import Annotated

import typer

from oxbot.simulator.defaults import DEFAULT_SEED, DEFAULT_TIMEFRAME


def replay(  # noqa: PLR0913 - one parameter for each option of the command
    *,
    start: Annotated[str, typer.Option("--from", help="First moment, as 2025-04-08T00:00:00Z.")],
    end: Annotated[str, typer.Option("--to", help="Last moment.")],
    candles: Annotated[
        Path | None, typer.Option(help="Folder of candle files instead of the generated market.")
    ] = None,
    timeframe: Annotated[
        str, typer.Option(help="Candle length of the files: 1m or 5m.")
    ] = DEFAULT_TIMEFRAME,
    bots: Annotated[
        str, typer.Option(help="How many bots, or a JSON file with a list of them.")
    ] = "1",
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of the market, and of each candle's inside.")
    ] = DEFAULT_SEED,
    faults: Annotated[Path | None, typer.Option(help="JSON file of fault rules.")] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the replay; made of its inputs unless said.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over instead of going on.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object on stdout at the end.")
    ] = False,
) -> None:
    """Replay a stretch of the market on a simulated OKX, as fast as this machine can.

    The whole system runs, in a data directory of its own. The same inputs give the same
    ledger. Stopped or killed on the way, the same command goes on from there.
    """
    from oxbot.cli import replay_run  # noqa: PLC0415 - `oxbot --help` must stay fast

    wishes = replay_run.Wishes(
        start=start,
        end=end,
        candles=candles,
        timeframe=timeframe,
        bots=bots,
        seed=seed,
        faults=faults,
        name=name,
        fresh=fresh,
    )
    replay_run.run(wishes, as_json=as_json)
