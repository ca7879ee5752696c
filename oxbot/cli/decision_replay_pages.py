"""Recorded cycles decided anew, for people and for programs."""

from collections.abc import Iterator
from datetime import tzinfo

from rich.console import Console

from oxbot.app.decision_replay import Replayed
from oxbot.app.decision_replays import DecisionReplay, Sum
from oxbot.app.telling import when
from oxbot.cli.output import table
from oxbot.domain.market import base_of
from oxbot.domain.money import plain
from oxbot.domain.risk import WHOLE_ACCOUNT
from oxbot.records import Spent


def document(found: DecisionReplay) -> dict[str, object]:
    """Give the whole result, with each cycle's differences."""
    cycles = [{**one.model_dump(), "differences": one.differences} for one in found.cycles]
    return {**found.model_dump(), "cycles": cycles}


def write(console: Console, found: DecisionReplay, shown_in: tzinfo) -> None:
    """Write a line for each coin that differs, then what all of it came to."""
    lines = [line for one in found.cycles for line in _lines(one, shown_in)]
    if lines:
        columns = ("cycle>", "venue time", "coin", "it wished", "now", "then the rules", "now")
        console.print(table("What differs", columns, lines, tight=True))
    counts = ("", "entries>", "exits>", "refused>", "tokens in>", "cached>", "out>", "USD>")
    sums = (_sum("on record", found.before), _sum("replayed", found.after))
    console.print("", table("All cycles", counts, sums, tight=True))
    console.print()
    for line in _told(found):
        console.print(line, soft_wrap=True)


def _lines(one: Replayed, shown_in: tzinfo) -> Iterator[tuple[str, ...]]:
    head = (str(one.cycle), when(one.due_ms, shown_in))
    for seen in one.differences:
        coin = "all" if seen.symbol == WHOLE_ACCOUNT else base_of(seen.symbol)
        yield (*head, coin, seen.wished, seen.wishes, seen.ruled, seen.rules)


def _sum(name: str, found: Sum) -> tuple[str, ...]:
    spent = found.spent
    counts = (found.entries, found.exits, found.refusals)
    tokens = (spent.tokens_in, spent.tokens_cached, spent.tokens_out)
    return (name, *map(str, counts), *map(str, tokens), _usd(spent))


def _usd(spent: Spent) -> str:
    return plain(spent.cost_usd) if spent.priced else "unknown"


def _told(found: DecisionReplay) -> Iterator[str]:
    left = f", {found.undone} not replayed" if found.undone else ""
    for one in found.cycles:
        if one.undone is not None:
            yield f"Cycle {one.cycle} was not replayed: {one.undone.rstrip('.')}."
        if one.failed is not None:
            yield f"Cycle {one.cycle} would have held: {one.failed}"
    yield (
        f"{len(found.cycles)} cycles of {found.bot_id}: {found.alike} alike, "
        f"{found.different} different{left}."
    )
    yield (
        f"Asked now: {found.asked} times, {_usd(found.paid)} USD; all other answers were on record "
        "or kept."
    )
    for warning in found.warnings:
        yield f"Mind: {warning}"
