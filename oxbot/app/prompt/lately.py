"""What became of the last decision: what the rules said, and what was closed and why."""

from decimal import Decimal, InvalidOperation
from typing import Final

from oxbot.app.briefs import verdict_told
from oxbot.app.prompt.words import RULE, cut, short
from oxbot.domain.entries import REST_TOO_LITTLE
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
    said = {(v.symbol, v.purpose, v.ruling, v.rule): _said(v) for v in lately.verdicts}
    closed = [_closed(trade) for trade in lately.trades[-MOST_TRADES:]]
    older = len(lately.trades) - len(closed)
    left_out = [f"{older} trades closed before these"] if older else []
    lines = [*said.values(), *left_out, *closed] or ["nothing was proposed and nothing closed"]
    return [f"Since the last decision (cycle {lately.cycle}):", *(f"  {line}." for line in lines)]


def _said(verdict: Verdict) -> str:
    """Tell a verdict; the reason of an approval is the model's own, told with the position."""
    reason = cut(verdict.reason, RULE)
    if verdict.ruling is Ruling.APPROVED:
        reason = REST_TOO_LITTLE if reason.startswith(REST_TOO_LITTLE) else "as proposed"
    figures = {name: _figure(figure) for name, figure in verdict.figures.items()}
    return verdict_told(verdict.model_copy(update={"reason": reason, "figures": figures}))


def _figure(figure: str) -> str:
    """Shorten a figure that is a number; others are words."""
    try:
        number = Decimal(figure)
    except InvalidOperation:
        return figure
    return short(number) if number.is_finite() else figure


def _closed(trade: TradeRow) -> str:
    return f"{trade.symbol} closed by {trade.exit}: {trade.net_pnl:+.2f} USDT net"
