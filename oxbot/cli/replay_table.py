"""A replay's result for people."""

from typing import Final

from rich.console import Group
from rich.table import Table

from oxbot.app.replay_report import BotResult, ReplayReport
from oxbot.app.telling import gain, money
from oxbot.cli import output
from oxbot.domain.oracle import Finding
from oxbot.simulator.venue_time import iso

DOUBTS: Final = 10
"""Lines at most about exits that the candles contradict."""


def told(found: ReplayReport) -> Group:
    """Show what happened, one line for each bot, and the digest of the ledger."""
    title = f"Replay {found.name}, {iso(found.from_ms)} to {iso(found.to_ms)}"
    return Group(title, _table(found), "\n".join(_lines(found)))


def _table(found: ReplayReport) -> Table:
    columns = ("bot", "status", "cycles>", "trades>", "net PnL>", "equity>", "drift>")
    return output.table("", columns, [_row(bot) for bot in found.bots])


def _row(bot: BotResult) -> tuple[str, ...]:
    return (
        *(bot.bot_id, bot.status, str(bot.cycles), str(bot.trades)),
        *(gain(bot.net_pnl), money(bot.equity), str(bot.drift)),
    )


def _lines(found: ReplayReport) -> list[str]:
    age = found.longest_entry_price_age_ms
    oldest = "no entries" if age is None else f"oldest price of an entry {age} ms"
    skipped = [f"  skipped   {count} cycles: {cause}" for cause, count in found.skipped.items()]
    return [
        f"  cycles    {found.cycles}, decisions {found.decisions}",
        *(skipped or ["  skipped   none"]),
        f"  orders    {found.orders}, filled {found.fills}, {oldest}",
        f"  trades    {found.trades}, net {gain(found.net_pnl)} USDT, fees {money(found.fees)}",
        f"  ends      {_ends(found)}",
        *_crossings(found),
        f"  books     drift {found.drift}, unbalanced {found.unbalanced}",
        f"  speed     {found.run_cycles} cycles in {found.wall_seconds} s, {found.cycles_per_s}/s",
        f"  ledger    {found.ledger_sha256}",
    ]


def _ends(found: ReplayReport) -> str:
    return ", ".join(f"{end} {count}" for end, count in found.ends.items()) or "none"


def _crossings(found: ReplayReport) -> list[str]:
    """Tell what the candles say of exits, and of each that is not as it should be."""
    seen = found.crossings
    late = f", {seen.late} later" if seen.late else ""
    others = f", {seen.others} without a candle" if seen.others else ""
    filled = f"filled in their candle {seen.filled_in_their_candle}{late}{others}"
    doubts = (f"  doubt     {_doubt(finding)}" for finding in seen.doubts[:DOUBTS])
    return [f"  candles   met {seen.expected}, {filled}", *doubts]


def _doubt(finding: Finding) -> str:
    held, guards = finding.round, " or ".join(finding.guards) or "nothing"
    met = f"{finding.judgement}, {guards} {iso(finding.candle_ms)}"
    end = "open" if held.closed_ms is None else f"{held.exit} {iso(held.closed_ms)}"
    return f"{held.bot_id} {held.symbol}: {met}, {end}"
