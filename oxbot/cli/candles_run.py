"""`oxbot candles fetch, import, check`."""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from oxbot.bootstrap import open_archive
from oxbot.candles import check as checking
from oxbot.candles import fetch as fetching
from oxbot.candles.importing import import_files
from oxbot.candles.names import length_of
from oxbot.candles.paging import Wanted
from oxbot.candles.parquet import sole_writer
from oxbot.candles.spans import Span
from oxbot.candles.times import iso, time_ms
from oxbot.cli import candles_pages, output
from oxbot.cli.config_sources import load_settings
from oxbot.cli.counted import bar, counted
from oxbot.cli.inputs import parse_symbols
from oxbot.domain.errors import InputError
from oxbot.logs import configure_logs
from oxbot.settings import Settings


def fetch(
    symbols: str, bar: str, begin: str, end: str | None, folder: Path, *, as_json: bool
) -> None:
    """Fetch candles of symbols and say what came.

    Raises:
        InputError: A symbol, a length or a time that cannot be; nothing was fetched.
        VenueUnavailable: The exchange failed; what came before is in the files.
    """
    length_of(bar)
    asked = Span(_moment(begin, "--from"), sys.maxsize if end is None else _moment(end, "--to"))
    names = parse_symbols(symbols)
    settings = load_settings()
    configure_logs(settings.log_format, "warning")
    with sole_writer(folder):
        done = asyncio.run(_fetch_all(settings, names, bar, asked, folder))
    if as_json:
        output.write_json([candles_pages.fetched_document(fetched) for fetched in done])
    else:
        candles_pages.write_fetched(output.console(), done)


def import_texts(
    files: Sequence[Path],
    folder: Path,
    symbol: str | None,
    bar: str | None,
    *,
    replacing: bool,
    as_json: bool,
) -> None:
    """Make candle files of texts and say what is in them. InputError, Conflict."""
    whose = None if symbol is None else _one_symbol(symbol)
    with counted("files", len(files)) as advance:
        made = import_files(
            files, folder, symbol=whose, bar=bar, replacing=replacing, tell=lambda _: advance(1)
        )
    if as_json:
        output.write_json([candles_pages.imported_document(imported) for imported in made])
    else:
        candles_pages.write_imported(output.console(), made)


def check(places: Sequence[Path], *, as_json: bool) -> bool:
    """Say what is wrong with candle files; gives whether nothing is.

    Raises:
        InputError: There is no such file or folder, or no candle file in it.
    """
    paths = checking.candle_files(places)
    reports = []
    with counted("files", len(paths)) as advance:
        for path in paths:
            reports.append(checking.check_file(path))
            advance(1)
    if as_json:
        output.write_json([candles_pages.report_document(report) for report in reports])
    else:
        candles_pages.write_reports(output.console(), reports)
    return all(report.clean for report in reports)


async def _fetch_all(
    settings: Settings, symbols: Sequence[str], bar: str, asked: Span, folder: Path
) -> list[fetching.Fetched]:
    """Fetch one symbol after the other, since all share the exchange's rate limit."""
    async with open_archive(settings) as archive:
        span = _on_grid(asked, archive.now_ms, bar)
        await archive.check_listed(symbols)
        done = []
        for symbol in symbols:
            wanted = Wanted(symbol, bar, span)
            with _fetch_progress(symbol) as tell:
                done.append(await fetching.fetch(archive, wanted, folder, tell))
        return done


def _on_grid(asked: Span, now_ms: int, bar: str) -> Span:
    """Cut a span to whole candles that are closed."""
    length_ms = length_of(bar)
    from_ms = -(-asked.from_ms // length_ms) * length_ms
    to_ms = min(asked.to_ms, now_ms) // length_ms * length_ms
    if from_ms >= to_ms:
        raise InputError(
            f"There is no closed {bar} candle between {iso(asked.from_ms)} and {iso(to_ms)}; "
            f"the exchange's time is {iso(now_ms)}. Choose another --from or --to."
        )
    return Span(from_ms, to_ms)


def _moment(text: str, option: str) -> int:
    try:
        return time_ms(text)
    except ValueError as error:
        raise InputError(f"{option}: {error}; write it as 2025-01-01T00:00Z.") from error


def _one_symbol(text: str) -> str:
    symbols = parse_symbols(text)
    if len(symbols) > 1:
        raise InputError("--symbol names one symbol: import each symbol's files by themselves.")
    return symbols[0]


@contextmanager
def _fetch_progress(symbol: str) -> Iterator[fetching.Tell]:
    """Show a bar on a terminal; gives what sets it."""
    with bar() as progress:
        task = progress.add_task(symbol, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
