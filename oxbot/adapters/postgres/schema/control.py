"""The tables of control: bots, runs, market parts, snapshots, cycles, decisions, verdicts."""

from enum import StrEnum
from typing import Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

from oxbot.adapters.postgres.columns import Milliseconds, Money
from oxbot.adapters.postgres.schema.base import among, metadata, now, of_bot, of_cycle
from oxbot.domain.bot import BotStatus
from oxbot.domain.market import Bar
from oxbot.domain.money import Notional, Price, Quantity
from oxbot.domain.orders import ORDERED
from oxbot.domain.risk import Ruling


class CycleState(StrEnum):
    """How far a cycle came."""

    BEGUN = "begun"
    COMPLETED = "completed"
    SKIPPED = "skipped"


bots: Final = Table(
    "bots",
    metadata,
    Column("id", Text, primary_key=True),
    # What a person chose, whole: a new setting needs no migration.
    Column("settings", JSONB, nullable=False),
    Column("status", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("flatten", Boolean, nullable=False),
    Column("incarnation", Integer, nullable=False),
    Column("cash", Money(Notional), nullable=False, comment="USDT, free and reserved"),
    Column("high_water", Money(Notional), comment="USDT; null until recorded again after a resume"),
    Column("created_at", Milliseconds, nullable=False),
    Column("archived_at", Milliseconds, comment="since when lists leave it out"),
    Column("asked", Text, comment="digest of the request that made it by a key"),
    among("status", BotStatus),
)

# A row to lock: whoever judges entries of one of the account's bots holds it. Live bots of a
# venue have one account, of no owner.
accounts: Final = Table(
    "accounts",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("venue", Text, primary_key=True),
)

bot_runs: Final = Table(
    "bot_runs",
    metadata,
    Column("run_id", Text, primary_key=True),
    of_bot(),
    Column("chain_id", Text, nullable=False),
    Column("incarnation", Integer, nullable=False),
    Column("first_cycle", BigInteger, nullable=False),
    Column("cycles", Integer, nullable=False),
    now("reserved_at"),
    # Also finds the highest reserved number; two runs cannot begin at the same one.
    UniqueConstraint("bot_id", "first_cycle"),
    CheckConstraint("first_cycle >= 1 AND cycles >= 1", name="block"),
)

market_parts: Final = Table(
    "market_parts",
    metadata,
    Column("venue", Text, primary_key=True),
    Column("symbol", Text, primary_key=True),
    Column("bar", Text, primary_key=True, comment="length of its candle"),
    Column("candle_at", Milliseconds, primary_key=True, comment="venue time of its candle's end"),
    Column("indicators", JSONB, nullable=False),
    Column("candles", JSONB, nullable=False, comment="the last 20 closed ones, oldest first"),
    # Without a perpetual SQL's null, not JSON's.
    Column("perpetual", JSONB(none_as_null=True), comment="five-minute parts only"),
    now("made_at"),
    among("bar", Bar),
)

# Which parts make a snapshot up follows from these columns; the id is derived from them.
snapshots: Final = Table(
    "snapshots",
    metadata,
    Column("id", Text, primary_key=True),
    Column("venue", Text, nullable=False),
    Column("candle_at", Milliseconds, nullable=False, comment="venue time"),
    Column("symbols", ARRAY(Text), nullable=False, comment="sorted"),
    now("made_at"),
)

cycles: Final = Table(
    "cycles",
    metadata,
    of_bot(primary=True),
    Column("cycle", BigInteger, primary_key=True, autoincrement=False),
    Column("incarnation", Integer, nullable=False),
    Column("due_at", Milliseconds, nullable=False, comment="venue time"),
    Column("state", Text, nullable=False),
    Column("snapshot_id", ForeignKey("snapshots.id"), comment="null when nothing was seen"),
    Column("clock", JSONB),
    Column("quotes", JSONB),
    Column("judged_at", Milliseconds),
    Column("judged_on", JSONB(none_as_null=True), comment="the context"),
    Column("skipped", Text, comment="why the cycle did not run to its end"),
    Column("outcome", JSONB),
    now("begun_at"),
    Column("recorded_at", Milliseconds),
    among("state", CycleState),
    CheckConstraint("(state = 'begun') = (outcome IS NULL)", name="outcome"),
    CheckConstraint("(state = 'skipped') = (skipped IS NOT NULL)", name="skipped"),
)


llm_decisions: Final = Table(
    "llm_decisions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("bot_id", Text, nullable=False),
    Column("cycle", BigInteger, nullable=False),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("prompt_hash", Text, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("reply", Text, nullable=False),
    # Text, since JSONB would give it back spelled differently.
    Column("decision", Text),
    Column("failed", Text),
    Column("request_id", Text, nullable=False),
    Column("tokens_in", Integer, nullable=False),
    Column("tokens_out", Integer, nullable=False),
    Column("tokens_cached", Integer, nullable=False, comment="of tokens_in"),
    Column("cost_usd", Money, nullable=False),
    Column("duration_ms", Integer, nullable=False),
    Column("repaired", Boolean, nullable=False, comment="by a second request"),
    Column("finish_reason", Text, comment="why the reply ends where it does"),
    Column("first_reply", Text, comment="which was asked to be repaired"),
    Column("first_finish", Text, comment="why that one ended"),
    Column("passed_over", Text, comment="models that should have decided, and why they did not"),
    Column("priced", Boolean, nullable=False, comment="whether the cost is known"),
    Column("gated", Boolean, nullable=False, comment="nobody was asked, as nothing had changed"),
    Column("prompt_version", Text, nullable=False, comment="of the wording"),
    Column("choice", JSONB(none_as_null=True), comment="who was asked"),
    Column("facts", JSONB(none_as_null=True), comment="shown"),
    now("decided_at"),
    of_cycle(),
    UniqueConstraint("bot_id", "cycle"),
    # What models cost since midnight.
    Index("ix_llm_decisions_decided_at", "decided_at"),
)

risk_verdicts: Final = Table(
    "risk_verdicts",
    metadata,
    Column("bot_id", Text, primary_key=True),
    Column("cycle", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("symbol", Text, nullable=False, comment="* is the whole account"),
    Column("purpose", Text, nullable=False),
    Column("ruling", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("figures", JSONB, nullable=False),
    Column("quantity", Money(Quantity), comment="coins"),
    Column("limit_price", Money(Price), comment="USDT"),
    Column("stop", Money, comment="fraction of the average fill"),
    Column("target", Money, comment="fraction of the average fill"),
    of_cycle(),
    among("purpose", ORDERED),
    among("ruling", Ruling),
)
