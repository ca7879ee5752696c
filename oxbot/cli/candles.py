"""`oxbot candles ...`: what can be asked for; what is done is in `candles_run`."""

from pathlib import Path
from typing import Annotated

import typer

# Each command imports what it needs when it runs: `oxbot --help` must stay fast.
# ruff: noqa: PLC0415

app = typer.Typer(help="Fetch, import and check candle files.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Into = Annotated[Path, typer.Option("--into", help="Folder of the candle files.")]


@app.command()
def fetch(
    symbols: Annotated[
        list[str], typer.Argument(metavar="SYMBOLS...", help="Coins, as BTC or BTC/USDT.")
    ],
    *,
    bar: Annotated[str, typer.Option(help="Length of a candle: 1m, 5m, 1h or 4h.")] = "5m",
    begin: Annotated[
        str, typer.Option("--from", help="Open time of the first candle, as 2025-01-01.")
    ],
    end: Annotated[
        str | None, typer.Option("--to", help="When the last one ends; else the newest closed one.")
    ] = None,
    into: Into,
    as_json: AsJson = False,
) -> None:
    """Fetch candles from OKX (or OXBOT_SIMULATOR_URL); what is there is not fetched again."""
    from oxbot.cli import candles_run

    candles_run.fetch(" ".join(symbols), bar, begin, end, into, as_json=as_json)


@app.command("import")
def import_(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILES...", help="Texts: .csv, .csv.gz or .zip.")
    ],
    *,
    into: Into,
    symbol: Annotated[
        str | None, typer.Option(help="Whose candles they are; else as the file's name says.")
    ] = None,
    bar: Annotated[
        str | None, typer.Option(help="Length of a candle; else as the file's name says.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put the new file in the place of an old one.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make candle files of CSV files, all or none: each broken line is named."""
    from oxbot.cli import candles_run

    candles_run.import_texts(files, into, symbol, bar, replacing=replace, as_json=as_json)


@app.command()
def check(
    places: Annotated[
        list[Path], typer.Argument(metavar="DIR|FILES...", help="Candle files, or CSV files.")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Look for gaps, duplicates and impossible rows; exit code 1 where there are any."""
    from oxbot.cli import candles_run

    raise typer.Exit(0 if candles_run.check(places, as_json=as_json) else 1)
