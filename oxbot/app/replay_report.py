"""What a replay came to, read from the record."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from oxbot.app.bots import Desk
from oxbot.app.crossings import Crossings, PastCandles, crossings, rounds_of
from oxbot.app.statement import FillLine, Statement, Statements, ledger_sha256
from oxbot.domain.money import CurrencyAmount, Notional, plain
from oxbot.domain.oracle import Round
from oxbot.domain.orders import Purpose
from oxbot.domain.values import Value
from oxbot.records import AuditFigures, CycleRow, OrderRow

ALL: Final = 10_000_000
"""More rows than a replay ever has."""

CAUSE_PARTS: Final = 2
"""Step and class of the error; what follows differs from one cycle to the next."""


class Run(Value):
    """This run of the replay: what it drove, and how long it took (s)."""

    cycles: int
    seconds: float


class BotResult(Value):
    """One bot at the end, in USDT; `equity` is that of its last cycle."""

    bot_id: str
    status: str
    cycles: int
    trades: int
    net_pnl: Notional
    equity: Notional | None
    drift: CurrencyAmount
    unbalanced: int


class ReplayReport(Value):
    """A replay as far as it has come. Amounts in USDT, times in venue ms.

    `cycles` to `net_pnl` are of all bots since the beginning, in whatever number of runs;
    `wall_seconds`, `run_cycles` and `cycles_per_s` are of this run. `skipped` counts skipped
    cycles by cause, `ends` trades by what ended them. `longest_entry_price_age_ms` is the
    longest time from a price as the exchange gave it to the entry that was decided on it; None
    without an entry.
    """

    name: str
    from_ms: int
    to_ms: int
    cycles: int
    skipped: dict[str, int]
    decisions: int
    orders: int
    fills: int
    trades: int
    ends: dict[str, int]
    crossings: Crossings
    fees: Notional
    net_pnl: Notional
    drift: CurrencyAmount
    unbalanced: int
    longest_entry_price_age_ms: int | None
    bots: tuple[BotResult, ...]
    wall_seconds: float
    run_cycles: int
    cycles_per_s: float
    ledger_sha256: str


class _Found(Value):
    """All that is on record of one bot."""

    cycles: tuple[CycleRow, ...]
    orders: tuple[OrderRow, ...]
    audit: AuditFigures
    statement: Statement
    rounds: tuple[Round, ...]
    result: BotResult


@dataclass(frozen=True)
class Record:
    """Where a replay is read.

    Args:
        desk: Where cycles, orders and positions are.
        statements: Where the books are.
        past: The candles that the market was made of.
    """

    desk: Desk
    statements: Statements
    past: PastCandles


async def report(
    record: Record, bot_ids: Iterable[str], name: str, run: Run, to: range
) -> ReplayReport:
    """Sum up a replay.

    Args:
        record: Where it is read.
        bot_ids: The replay's bots.
        name: The replay's name.
        run: What this run drove.
        to: From its beginning to its end, in venue ms.
    """
    found = [await _find(record.desk, record.statements, bot_id) for bot_id in bot_ids]
    rows = [row for one in found for row in one.cycles]
    fills = [fill for one in found for fill in one.statement.fills]
    return ReplayReport(
        name=name,
        from_ms=to.start,
        to_ms=to.stop,
        cycles=len(rows),
        skipped=causes(row.skipped for row in rows if row.skipped),
        decisions=sum(bool(row.decision) for row in rows),
        orders=sum(len(one.orders) for one in found),
        fills=len(fills),
        trades=sum(one.result.trades for one in found),
        ends=dict(Counter(t.exit for one in found for t in one.statement.trades).most_common()),
        crossings=crossings((r for one in found for r in one.rounds), record.past, to.stop),
        fees=total(fill.fee_usdt for fill in fills),
        net_pnl=total(one.result.net_pnl for one in found),
        drift=_drift(one.audit for one in found),
        unbalanced=sum(one.audit.unbalanced for one in found),
        longest_entry_price_age_ms=longest_age_ms(fills),
        bots=tuple(one.result for one in found),
        wall_seconds=round(run.seconds, 2),
        run_cycles=run.cycles,
        cycles_per_s=round(run.cycles / run.seconds, 2) if run.seconds else 0.0,
        ledger_sha256=ledger_sha256([one.statement for one in found]),
    )


async def _find(desk: Desk, statements: Statements, bot_id: str) -> _Found:
    bot = await desk.store.bot(bot_id)
    rows, audit = await desk.store.cycles(bot_id, ALL), await desk.store.audit(bot_id)
    statement = await statements.statement(bot_id)
    held = (await desk.store.portfolio(bot_id)).positions
    return _Found(
        cycles=tuple(rows),
        orders=tuple(await desk.store.orders(bot_id, ALL)),
        audit=audit,
        statement=statement,
        rounds=tuple(rounds_of(statement, held, bot.settings.mode)),
        result=BotResult(
            bot_id=bot_id,
            status=bot.status,
            cycles=len(rows),
            trades=len(statement.trades),
            net_pnl=total(trade.net_pnl for trade in statement.trades),
            equity=rows[0].equity if rows else None,
            drift=_drift([audit]),
            unbalanced=audit.unbalanced,
        ),
    )


def causes(skipped: Iterable[str | None]) -> dict[str, int]:
    """Count causes by step and class of error, the most frequent first."""
    kinds = (": ".join((cause or "").split(": ")[:CAUSE_PARTS]) for cause in skipped)
    return dict(Counter(kinds).most_common())


def longest_age_ms(fills: Sequence[FillLine]) -> int | None:
    """Give the longest time from the price that a cycle saw to its entry's fill, in ms."""
    ages = (
        fill.at_ms - fill.seen_ms
        for fill in fills
        if fill.purpose == Purpose.ENTRY and fill.seen_ms is not None
    )
    return max(ages, default=None)


def total(amounts: Iterable[Notional]) -> Notional:
    """Add up; without trailing zeros."""
    return Notional(plain(sum(amounts, Notional(0))))


def _drift(audits: Iterable[AuditFigures]) -> Decimal:
    return Decimal(plain(sum((audit.drift for audit in audits), Decimal(0))))
