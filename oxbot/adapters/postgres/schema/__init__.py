"""The tables, as SQLAlchemy Core knows them; `infra.migrations` makes them.

Unique keys carry idempotency: whatever is written twice is there once. Times are wall time
unless a column's comment says venue time; amounts are in the unit of their comment.
"""

from oxbot.adapters.postgres.schema.base import metadata
from oxbot.adapters.postgres.schema.books import (
    FINAL_STATES,
    OF_ACCOUNT,
    ONE_ORDER_UNDER_WAY,
    dust,
    equity_points,
    events,
    fills,
    ledger_entries,
    orders,
    positions,
    resting_stops,
    trades,
    write_offs,
)
from oxbot.adapters.postgres.schema.control import (
    CycleState,
    accounts,
    bot_runs,
    bots,
    cycles,
    llm_decisions,
    market_parts,
    risk_verdicts,
    snapshots,
)
from oxbot.adapters.postgres.schema.people import logins, refresh_tokens, registration, users
from oxbot.adapters.postgres.schema.protection import protections, watch_beats, watch_marks

__all__ = [
    "FINAL_STATES",
    "OF_ACCOUNT",
    "ONE_ORDER_UNDER_WAY",
    "CycleState",
    "accounts",
    "bot_runs",
    "bots",
    "cycles",
    "dust",
    "equity_points",
    "events",
    "fills",
    "ledger_entries",
    "llm_decisions",
    "logins",
    "market_parts",
    "metadata",
    "orders",
    "positions",
    "protections",
    "refresh_tokens",
    "registration",
    "resting_stops",
    "risk_verdicts",
    "snapshots",
    "trades",
    "users",
    "watch_beats",
    "watch_marks",
    "write_offs",
]
