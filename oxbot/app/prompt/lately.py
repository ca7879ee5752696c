"""What became of the last decision: what the rules said, and what was closed and why."""

from collections.abc import Mapping
from typing import Final

from oxbot.app.briefs import verdict_told
from oxbot.app.prompt.figures import figures_told
from oxbot.app.prompt.words import RULE, UNFILLED, cut
from oxbot.domain.entries import REST_TOO_LITTLE
from oxbot.domain.orders import Purpose
from oxbot.domain.risk import Ruling, Verdict
from oxbot.records import Lately, TradeRow

MOST_TRADES: Final = 5
"""Trades told of that were closed since the last decision: the newest."""


def lately_told(lately: Lately | None) -> list[str]:
    """Tell what happened since the last decision; nothing before the first one.

    No word of a rule is left out; what it said again and again is told once, by its last figures.
    """
    if lately is None:
        return []
    said = {
        (v.symbol, v.purpose, v.ruling, v.rule): verdict_told(_said(v, lately.unfilled))
        for v in lately.verdicts
    }
    closed = [_closed(trade) for trade in lately.trades[-MOST_TRADES:]]
    older = len(lately.trades) - len(closed)
    left_out = [f"{older} trades closed before these"] if older else []
    lines = [*said.values(), *left_out, *closed] or ["nothing was proposed and nothing closed"]
    return [f"Since the last decision (cycle {lately.cycle}):", *(f"  {line}." for line in lines)]


def _said(verdict: Verdict, unfilled: Mapping[str, str]) -> Verdict:
    """Give a verdict as it is told: of an entry that came to nothing, only that."""
    if _is_entry(verdict) and verdict.symbol in unfilled:
        why = cut(unfilled[verdict.symbol], UNFILLED).rstrip(".")
        return _with(verdict, f"not filled: {why}", {})
    return _with(verdict, _reason(verdict), figures_told(verdict))


def _is_entry(verdict: Verdict) -> bool:
    return verdict.purpose is Purpose.ENTRY and verdict.ruling.leads_to_an_order


def _with(verdict: Verdict, reason: str, figures: dict[str, str]) -> Verdict:
    return verdict.model_copy(update={"reason": reason, "figures": figures})


def _reason(verdict: Verdict) -> str:
    """Give the reason; that of an approval is the model's own, told with the position."""
    if verdict.ruling is not Ruling.APPROVED:
        return cut(verdict.reason, RULE)
    return REST_TOO_LITTLE if verdict.reason.startswith(REST_TOO_LITTLE) else "as proposed"


def _closed(trade: TradeRow) -> str:
    return f"{trade.symbol} closed by {trade.exit}: {trade.net_pnl:+.2f} net"
