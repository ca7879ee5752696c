"""`oxbot simulator`: a simulated OKX on loopback."""

from pathlib import Path
from typing import Annotated

import typer

from oxbot.simulator.defaults import (
    DEFAULT_BOOK_GROWTH,
    DEFAULT_BOOK_SPREAD,
    DEFAULT_BOOK_USDT,
    DEFAULT_MODE,
    DEFAULT_OVERALL_LIMIT,
    DEFAULT_RATE,
    DEFAULT_SEED,
    DEFAULT_TIMEFRAME,
)


def simulator(  # noqa: PLR0913 - one parameter for each option of the command
    *,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="Port on 127.0.0.1 (OXBOT_SIMULATOR_PORT); 0 takes a free one."
        ),
    ] = None,
    candles: Annotated[
        Path | None, typer.Option(help="Folder of candle files instead of the generated market.")
    ] = None,
    timeframe: Annotated[
        str, typer.Option(help="Candle length of the files: 1m or 5m.")
    ] = DEFAULT_TIMEFRAME,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the generated market.")] = DEFAULT_SEED,
    start: Annotated[
        str | None, typer.Option(help="Where the clock starts, as 2025-01-01T00:00:00Z.")
    ] = None,
    mode: Annotated[str, typer.Option(help="speed or stepped.")] = DEFAULT_MODE,
    rate: Annotated[
        str, typer.Option("--rate", "--speed", help="Venue seconds in a second, up to 3600.")
    ] = DEFAULT_RATE,
    state: Annotated[
        Path | None,
        typer.Option(
            help="File in which the clock survives a restart, with faults and accounts beside it."
        ),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start anew, whatever the state file says.")
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Do not wait for the disk with the state file.")
    ] = False,
    faults: Annotated[Path | None, typer.Option(help="File of fault rules to begin with.")] = None,
    listed: Annotated[
        int, typer.Option(min=0, help="So many made-up pairs beside the market's.")
    ] = 0,
    book_usdt: Annotated[
        str, typer.Option(help="Worth of the best level of a book, in USDT.")
    ] = DEFAULT_BOOK_USDT,
    book_growth: Annotated[
        str, typer.Option(help="How much each level of a book grows, in percent.")
    ] = DEFAULT_BOOK_GROWTH,
    book_spread: Annotated[
        int, typer.Option(help="From the best bid to the best ask, in ticks.")
    ] = DEFAULT_BOOK_SPREAD,
    rate_limits: Annotated[
        bool,
        typer.Option(
            "--rate-limits/--no-rate-limits",
            help="Refuse clients that ask more often than OKX lets them.",
        ),
    ] = True,
    overall_limit: Annotated[
        int, typer.Option(help="Requests in two seconds of one client over all endpoints.")
    ] = DEFAULT_OVERALL_LIMIT,
    as_json: Annotated[
        bool, typer.Option("--json", help="Say where it listens as a JSON object.")
    ] = False,
) -> None:
    """Serve a simulated OKX until Ctrl-C: a generated market, or real candles from files."""
    from oxbot.settings import Settings  # noqa: PLC0415 - `oxbot --help` must stay fast
    from oxbot.simulator.options import Options  # noqa: PLC0415 - as above
    from oxbot.simulator.server import run  # noqa: PLC0415 - as above

    options = Options(
        port=Settings().simulator_port if port is None else port,
        candles=candles,
        timeframe=timeframe,
        seed=seed,
        start=start,
        mode=mode,
        rate=rate,
        state=state,
        fresh=fresh,
        quick=quick,
        json=as_json,
        faults=faults,
        listed=listed,
        book_usdt=book_usdt,
        book_growth=book_growth,
        book_spread=book_spread,
        rate_limits=rate_limits,
        overall_limit=overall_limit,
    )
    raise typer.Exit(run(options))
