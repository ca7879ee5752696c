"""What `oxbot bots cycles, orders, ...` do: one part of a list, or all of it, in three forms."""

import sys
from dataclasses import dataclass
from typing import Any, Final

from oxbot.app.csv_lines import PAGE_ROWS, Fetch, csv_text, walked
from oxbot.app.statistics import statistics
from oxbot.app.telling import zone
from oxbot.cli import bot_read_tables as tables
from oxbot.cli import output
from oxbot.cli.at_reading import from_record
from oxbot.cli.config_sources import load_settings
from oxbot.ports.reading import Reading
from oxbot.records import CycleRow, EventRow, TradeRow
from oxbot.records.reading import (
    DecisionLine,
    EquityPoint,
    FillRow,
    LedgerRow,
    OrderLine,
    Page,
    Part,
    Stretch,
)

KINDS: Final[dict[str, type[Any]]] = {  # Any: of whatever row
    "cycles": CycleRow,
    "orders": OrderLine,
    "trades": TradeRow,
    "fills": FillRow,
    "ledger": LedgerRow,
    "decisions": DecisionLine,
    "events": EventRow,
    "equity": EquityPoint,
}


@dataclass(frozen=True)
class Wish:
    """Which part of a bot's list, in which form: table, json or csv."""

    bot_id: str
    limit: int
    cursor: str | None
    every: bool
    form: str


def show(name: str, wish: Wish) -> None:
    """Write a part of a list, or all of it. NotFound, InputError."""
    if wish.form == "csv":
        from_record(lambda reading: _write_csv(reading, name, wish))
        return
    page = from_record(lambda reading: _read(reading, name, wish))
    if wish.form == "json":
        output.write_json(page)
        return
    shown_in = zone(load_settings().timezone)
    output.console().print(tables.TABLES[name](page.items, shown_in))
    if page.next is not None:
        output.console().print(f"\nThere are more: --cursor {page.next}, or --all")


def show_curve(bot_id: str, points: int, *, as_json: bool) -> None:
    """Write the equity curve. NotFound."""

    async def look(reading: Reading) -> list[EquityPoint]:
        await reading.must_exist(bot_id)
        return await reading.curve(bot_id, Stretch(), points)

    found = from_record(look)
    if as_json:
        output.write_json({"items": found})
    else:
        output.console().print(tables.equity(found, zone(load_settings().timezone)))


def show_statistics(bot_id: str, *, as_json: bool) -> None:
    """Write statistics. NotFound."""
    found = from_record(lambda reading: statistics(reading, bot_id))
    if as_json:
        output.write_json(found)
    else:
        output.console().print(tables.statistics(found, zone(load_settings().timezone)))


async def _read(reading: Reading, name: str, wish: Wish) -> Page[Any]:
    """Read one page, or all of them into one."""
    first = await _first(reading, name, wish)
    if not wish.every:
        return first
    pages = walked(getattr(reading, name), wish.bot_id, first)
    return Page(items=tuple([row async for page in pages for row in page.items]))


async def _write_csv(reading: Reading, name: str, wish: Wish) -> None:
    first = await _first(reading, name, wish)
    only = first if wish.every else Page(items=first.items)
    pages = walked(getattr(reading, name), wish.bot_id, only)
    async for text in csv_text(KINDS[name], pages):
        sys.stdout.write(text)


async def _first(reading: Reading, name: str, wish: Wish) -> Page[Any]:
    await reading.must_exist(wish.bot_id)
    limit = PAGE_ROWS if wish.every else wish.limit
    fetch: Fetch[Any] = getattr(reading, name)
    return await fetch(wish.bot_id, Part(limit=limit, cursor=wish.cursor))
