"""Decisions as a list, and one of them as a page that tells its story from top to bottom."""

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from decimal import Decimal

from rich.console import Console
from rich.table import Table

from oxbot.app.briefs import verdict_told
from oxbot.app.decisions import DecisionPage, DecisionRow
from oxbot.app.telling import NOTHING, percent, price, span, when
from oxbot.cli.bot_pages import orders_table, trades_table
from oxbot.cli.output import table
from oxbot.domain.decision import Decision, Proposal
from oxbot.domain.market import base_of
from oxbot.domain.money import plain


def write_list(console: Console, rows: Sequence[DecisionRow], shown_in: tzinfo) -> None:
    """Write a line for each decision, and what they cost together."""
    if not rows:
        console.print("No model has decided anything yet.")
        return
    columns = ("id", "venue time", "model", "tokens>", "USD>", "what")
    console.print(table("", columns, (_line(row, shown_in) for row in rows), tight=True))
    cost = sum((row.cost_usd for row in rows), Decimal(0))
    held = sum(row.decision is None for row in rows)
    asked, gated = (sum(getattr(row, name) for row in rows) for name in ("asked", "gated"))
    skipped = f", {gated} skipped (nothing changed)" if gated else ""
    console.print(
        f"\n{len(rows)} decisions, {held} of them held; {asked} asked for{skipped}; "
        f"{plain(cost)} USD."
    )


def _line(row: DecisionRow, shown_in: tzinfo) -> tuple[str, ...]:
    tokens = f"{row.tokens_in}+{row.tokens_out}" if row.tokens_in else NOTHING
    told = f"{row.told} (repaired)" if row.repaired else row.told
    told = f"{told} (fallback)" if row.passed_over else told
    by = row.label if row.asked else "(not asked)"
    return row.id, when(row.due_ms, shown_in), by, tokens, plain(row.cost_usd), told


def write_page(console: Console, page: DecisionPage, shown_in: tzinfo, *, prompt: bool) -> None:
    """Write one decision: seen, said, judged, done, and what came of it."""
    for line in _head(page, shown_in):
        console.print(line)
    if page.record.asked:
        _write_question(console, page, prompt=prompt)
    said = "\n".join(verdict_told(verdict) for verdict in page.verdicts)
    _write_part(console, "What the rules said", said or "nothing was proposed")
    if page.orders:
        console.print("", orders_table(page.orders))
    else:
        _write_part(console, "What was done", "no orders")
    if page.trades:
        console.print("", trades_table(page.trades, shown_in))
    elif page.orders:
        _write_part(console, "What came of it", "no position was closed yet")


def _write_question(console: Console, page: DecisionPage, *, prompt: bool) -> None:
    """Write what a model was shown, if that is wished, what it said, and what that means."""
    if prompt:
        _write_part(console, "What the model saw", page.record.prompt)
    if page.record.first_reply is not None:
        _write_part(console, "What it said first, and was asked to repair", page.record.first_reply)
    _write_part(console, "What it said", page.record.reply or "nothing")
    if page.decision is not None:
        console.print("", _proposals(page.decision))


def _write_part(console: Console, title: str, text: str) -> None:
    console.print(f"\n{title}", style="bold")
    console.print(text, soft_wrap=True)


def _head(page: DecisionPage, shown_in: tzinfo) -> Iterator[str]:
    record = page.record
    yield f"Decision {record.id}: cycle {record.cycle} of bot {record.bot_id}"
    yield f"due {when(page.due_ms, shown_in)} (venue), decided {when(page.decided_ms, shown_in)}"
    yield from _by(page) if record.asked else _by_nobody(page)


def _by(page: DecisionPage) -> Iterator[str]:
    record = page.record
    yield f"by {record.label} in {span(record.duration_ms)}" + (
        ", after a repair request" if record.repaired else ""
    )
    if record.request_id:
        yield f"request {record.request_id} at {record.provider}, model {record.model}"
    yield (
        f"tokens {record.tokens_in} in ({record.tokens_cached} cached), {record.tokens_out} out; "
        f"{plain(record.cost_usd)} USD"
    )
    yield f"prompt {record.prompt_hash[:12]} of version {record.prompt_version}"
    if record.passed_over is not None:
        yield f"Another should have decided: {record.passed_over}"
    if record.failed is not None:
        yield f"The cycle held: {record.failed}"


def _by_nobody(page: DecisionPage) -> Iterator[str]:
    """Say why no model was asked, so that there is nothing that one saw or said."""
    yield "no model was asked"
    yield page.decision.summary if page.decision else f"The cycle held: {page.record.failed}"


def _proposals(decision: Decision) -> Table:
    return table(
        f"What it decided: {decision.summary}",
        ("coin", "action", "size>", "sure>", "move>", "stop>", "target>", "why"),
        (_proposal(proposal) for proposal in decision.proposals),
        tight=True,
    )


def _proposal(proposal: Proposal) -> tuple[str, ...]:
    wrong = f" Wrong if: {proposal.invalidation}" if proposal.invalidation else ""
    return (
        base_of(proposal.symbol),
        proposal.action,
        percent(proposal.fraction),
        percent(proposal.confidence),
        percent(proposal.expected_move),
        price(proposal.stop_price),
        price(proposal.target_price),
        proposal.reason + wrong,
    )
