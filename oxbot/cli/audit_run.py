"""What `oxbot audit ledger` does and shows."""

from collections.abc import Sequence
from decimal import Decimal

import typer
from rich.console import Console

from oxbot.app.audit import BotAudit, audit_ledger
from oxbot.app.telling import NOTHING
from oxbot.cli import output
from oxbot.cli.desk import at_desk
from oxbot.domain.money import plain


def ledger(bot_id: str | None, *, as_json: bool) -> None:
    """Audit one bot or all, write the figures, and end with 1 where some do not agree."""
    audits = at_desk(lambda desk: audit_ledger(desk.store, bot_id))
    if as_json:
        output.write_json(document(audits))
    else:
        write(output.console(), audits)
    if not all(audit.is_sound for audit in audits):
        raise typer.Exit(1)


def document(audits: Sequence[BotAudit]) -> dict[str, object]:
    """Give the audit as one JSON document."""
    return {
        "bots": [{**audit.model_dump(), "sound": audit.is_sound} for audit in audits],
        "fills": sum(audit.figures.fills for audit in audits if audit.figures),
        "drift": drift(audits),
        "unbalanced": sum(audit.figures.unbalanced for audit in audits if audit.figures),
        "sound": all(audit.is_sound for audit in audits),
    }


def drift(audits: Sequence[BotAudit]) -> str:
    """Sum the drift of all books that could be made again."""
    drifts = (Decimal(str(audit.figures.drift)) for audit in audits if audit.figures)
    return plain(sum(drifts, Decimal(0)))


def write(console: Console, audits: Sequence[BotAudit]) -> None:
    """Write a line for each bot, and what it comes to."""
    columns = ("bot", "fills>", "cash>", "from fills>", "drift>", "unbalanced>", "books")
    console.print(output.table("", columns, (_line(audit) for audit in audits)))
    for audit in audits:
        for told in _told(audit):
            console.print(f"{audit.bot_id}: {told}")
    fills = sum(audit.figures.fills for audit in audits if audit.figures)
    sound = sum(audit.is_sound for audit in audits)
    console.print(f"\n{sound} of {len(audits)} agree; {fills} fills, drift {drift(audits)}.")


def _told(audit: BotAudit) -> list[str]:
    """Say why books cannot be made again, or what differs in them."""
    if audit.figures is None:
        return [audit.broken or ""]
    told = audit.figures.differences
    lines = [
        f"{one.of}: {plain(one.stored)} stored, {plain(one.from_fills)} by the fills"
        for one in told
    ]
    more = audit.figures.differing - len(told)
    return [*lines, f"and {more} more figures differ"] if more else lines


def _line(audit: BotAudit) -> tuple[str, ...]:
    found = audit.figures
    if found is None:
        return (audit.bot_id, *[NOTHING] * 5, "BROKEN")
    return (
        audit.bot_id,
        str(found.fills),
        plain(found.cash_stored),
        plain(found.cash_recomputed),
        plain(found.drift),
        str(found.unbalanced),
        "agree" if audit.is_sound else "DO NOT AGREE",
    )
