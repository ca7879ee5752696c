"""What `oxbot candles` says: JSON documents for programs, tables and lines for people."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

from oxbot.candles.check import Report
from oxbot.candles.faults import Gap, Kind, told
from oxbot.candles.fetch import Fetched
from oxbot.candles.importing import Imported
from oxbot.candles.names import SUFFIX
from oxbot.candles.series import Series
from oxbot.candles.spans import Span
from oxbot.candles.times import iso
from oxbot.cli.output import table

_DAY: Final = len("2025-01-01")
_MINUTE: Final = len("2025-01-01 00:00")
SHOWN_GAPS: Final = 20
"""So many gaps of a file are told one by one to people."""

Document = dict[str, object]


def fetched_document(fetched: Fetched) -> Document:
    """Describe a fetched file; times are ISO 8601."""
    return {
        **_series_document(fetched.series),
        "file": str(fetched.path),
        "added": fetched.added,
        "gaps": _gap_documents(fetched.gaps),
    }


def imported_document(imported: Imported) -> Document:
    """Describe an imported file; times are ISO 8601."""
    return {
        **_series_document(imported.series),
        "file": str(imported.path),
        "sources": [str(path) for path in imported.sources],
        "gaps": _gap_documents(imported.series.gaps()),
    }


def report_document(report: Report) -> Document:
    """Describe what a look at a file found; times are ISO 8601."""
    return {
        "file": str(report.path),
        "clean": report.clean,
        "symbol": report.symbol,
        "bar": report.bar,
        "rows": report.rows,
        **_span_document(report.span),
        "gaps": _gap_documents(report.gaps),
        "missing": report.missing,
        "duplicates": report.count(Kind.DUPLICATE),
        "faults": [
            {_place_word(report): fault.place, "kind": fault.kind, "what": fault.what}
            for fault in report.faults
        ],
        "unreadable": report.unreadable or None,
    }


def write_fetched(console: Console, done: Sequence[Fetched]) -> None:
    """Write what was fetched."""
    counts = [(one.path, one.series, one.added, one.gaps) for one in done]
    _write_files(console, "new>", counts)


def write_imported(console: Console, made: Sequence[Imported]) -> None:
    """Write what was imported."""
    counts = [(one.path, one.series, len(one.sources), one.series.gaps()) for one in made]
    _write_files(console, "files>", counts)


def write_reports(console: Console, reports: Sequence[Report]) -> None:
    """Write what a look at files found."""
    columns = ("file", "rows>", "first>", "last>", "gaps>", "double>", "broken>", "")
    console.print(table("", columns, [_report_line(report) for report in reports]))
    for report in reports:
        _write_gaps(console, report.path.name, report.gaps)
        if report.faults:
            console.print(told(report.path.name, _place_word(report), list(report.faults)))
        if report.unreadable:
            console.print(report.unreadable)


def _write_files(
    console: Console, count: str, files: Sequence[tuple[Path, Series, int, Sequence[Gap]]]
) -> None:
    """Write a table of candle files with one count of the command's own, then their gaps."""
    columns = ("file", "candles>", count, "from (UTC)>", "to (UTC)>", "gaps>")
    lines = [
        (path.name, f"{len(series):,}", f"{number:,}", *_ends(series.span), str(len(gaps)))
        for path, series, number, gaps in files
    ]
    console.print(table("", columns, lines))
    for path, _, _, gaps in files:
        _write_gaps(console, path.name, gaps)


def _report_line(report: Report) -> tuple[str, ...]:
    if report.unreadable:
        return (report.path.name, *[""] * 6, "unreadable")
    double = report.count(Kind.DUPLICATE)
    return (
        report.path.name,
        f"{report.rows:,}",
        *(end[:_DAY] for end in _ends(report.span)),
        str(len(report.gaps)),
        f"{double:,}",
        f"{len(report.faults) - double:,}",
        "good" if report.clean else "wrong",
    )


def _ends(span: Span | None) -> tuple[str, str]:
    """Write both ends to the minute, as 2025-01-01 00:00."""
    if span is None:
        return "", ""
    first, last = (iso(ms).replace("T", " ")[:_MINUTE] for ms in span)
    return first, last


def _write_gaps(console: Console, name: str, gaps: Sequence[Gap]) -> None:
    for gap in gaps[:SHOWN_GAPS]:
        console.print(
            f"{name}: {gap.missing:,} missing from {iso(gap.from_ms)} to {iso(gap.to_ms)}"
            f"{'' if gap.asked else ' (not fetched yet)'}."
        )
    if len(gaps) > SHOWN_GAPS:
        console.print(f"{name}: and {len(gaps) - SHOWN_GAPS:,} gaps more.")


def _series_document(series: Series) -> Document:
    return {
        "symbol": series.symbol,
        "bar": series.bar,
        "venue": series.venue,
        "rows": len(series),
        **_span_document(series.span),
    }


def _span_document(span: Span | None) -> Document:
    return {"from": iso(span.from_ms) if span else None, "to": iso(span.to_ms) if span else None}


def _gap_documents(gaps: Sequence[Gap]) -> list[Document]:
    return [
        {
            "from": iso(gap.from_ms),
            "to": iso(gap.to_ms),
            "missing": gap.missing,
            "asked": gap.asked,
        }
        for gap in gaps
    ]


def _place_word(report: Report) -> str:
    return "row" if report.path.suffix == SUFFIX else "line"
