"""Lists as CSV (RFC 4180) for spreadsheets: units in the header, no text that is a formula."""

import csv
import io
import json
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, Protocol, TypeVar, get_args

from oxbot.domain.money import Notional, Price, Quantity, plain
from oxbot.domain.values import Value
from oxbot.records.reading import Page, Part

Row = TypeVar("Row", bound=Value)
PAGE_ROWS: Final = 500
"""Rows that are read, and held, at a time."""

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that a spreadsheet would run."""

_UNITS: Final = {Notional: "_usdt", Price: "_usdt", Quantity: "_coins"}
_LENGTHS: Final = frozenset({"duration_ms"})
"""What is in ms and no time of the calendar."""


class Fetch(Protocol[Row]):
    """What gives a part of a bot's list."""

    def __call__(self, bot_id: str, part: Part, /) -> Awaitable[Page[Row]]:
        """Give it."""
        ...


@dataclass(frozen=True)
class Column:
    """A column: its header, of which field, and whether that is a time to be spelled out."""

    header: str
    field: str
    spelled: bool = False


async def walked(fetch: Fetch[Row], bot_id: str, first: Page[Row]) -> AsyncIterator[Page[Row]]:
    """Give a first page and all that follow it; between two of them nothing is held."""
    page = first
    yield page
    while page.next is not None:
        page = await fetch(bot_id, Part(limit=PAGE_ROWS, cursor=page.next))
        yield page


async def csv_text(kind: type[Row], pages: AsyncIterator[Page[Row]]) -> AsyncIterator[str]:
    """Write pages as CSV, a piece of text for each, after the line of headers."""
    columns = columns_of(kind)
    yield _lines([[column.header for column in columns]])
    async for page in pages:
        yield _lines(_cells(row, columns) for row in page.items)


def columns_of(kind: type[Value]) -> tuple[Column, ...]:
    """Give a column for each field, with its unit; each time also as ISO 8601 in UTC."""
    return tuple(column for name in kind.model_fields for column in _columns(kind, name))


def _columns(kind: type[Value], name: str) -> Iterator[Column]:
    yield Column(f"{name}{_unit(kind, name)}", name)
    if name.endswith("_ms") and name not in _LENGTHS:
        yield Column(f"{name.removesuffix('_ms')}_utc", name, spelled=True)


def _unit(kind: type[Value], name: str) -> str:
    annotation = kind.model_fields[name].annotation
    found = (_UNITS[part] for part in (annotation, *get_args(annotation)) if part in _UNITS)
    return next(found, "")


def _cells(row: Value, columns: Sequence[Column]) -> list[str]:
    return [
        _spelled(getattr(row, column.field)) if column.spelled else cell(getattr(row, column.field))
        for column in columns
    ]


def cell(value: object) -> str:
    """Write a value: numbers as they are, figures as JSON, no text that begins a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(FORMULA) else text


def _spelled(at_ms: int | None) -> str:
    if at_ms is None:
        return ""
    seconds, ms = divmod(at_ms, 1000)
    told = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{told}.{ms:03d}Z"


def _lines(rows: Iterable[Sequence[str]]) -> str:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue()
