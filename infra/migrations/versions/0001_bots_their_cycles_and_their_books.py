"""Bots, their cycles and their books.

Revision ID: 0001
Revises: nothing
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MONEY = sa.Numeric(precision=38, scale=18)
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "bots",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("settings", JSONB, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("flatten", sa.Boolean(), nullable=False),
        sa.Column("incarnation", sa.Integer(), nullable=False),
        sa.Column("cash", MONEY, nullable=False, comment="USDT, free and reserved"),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint(
            "status IN ('running', 'paused', 'closing', 'stopped')", name=op.f("ck_bots_status")
        ),
        sa.PrimaryKeyConstraint("id", name="pk_bots"),
    )
    op.create_table(
        "snapshots",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("venue", sa.Text(), nullable=False),
        sa.Column("candle_at", TIME, nullable=False, comment="venue time"),
        sa.Column("symbols", sa.ARRAY(sa.Text()), nullable=False, comment="sorted"),
        sa.Column("indicators", JSONB, nullable=False),
        sa.Column("made_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_snapshots"),
        sa.UniqueConstraint(
            "venue", "candle_at", "symbols", name="uq_snapshots_venue_candle_at_symbols"
        ),
    )
    op.create_table(
        "bot_runs",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("bot_id", sa.Text(), nullable=False),
        sa.Column("chain_id", sa.Text(), nullable=False),
        sa.Column("incarnation", sa.Integer(), nullable=False),
        sa.Column("first_cycle", sa.BigInteger(), nullable=False),
        sa.Column("cycles", sa.Integer(), nullable=False),
        sa.Column("reserved_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("first_cycle >= 1 AND cycles >= 1", name=op.f("ck_bot_runs_block")),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name="fk_bot_runs_bot_id"),
        sa.PrimaryKeyConstraint("run_id", name="pk_bot_runs"),
        sa.UniqueConstraint("bot_id", "first_cycle", name="uq_bot_runs_bot_id_first_cycle"),
    )
    op.create_table(
        "cycles",
        sa.Column("bot_id", sa.Text(), nullable=False),
        sa.Column("cycle", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("incarnation", sa.Integer(), nullable=False),
        sa.Column("due_at", TIME, nullable=False, comment="venue time"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("snapshot_id", sa.Text(), nullable=True, comment="null when nothing was seen"),
        sa.Column("clock", JSONB, nullable=True),
        sa.Column("quotes", JSONB, nullable=True),
        sa.Column("judged_at", TIME, nullable=True),
        sa.Column(
            "skipped", sa.Text(), nullable=True, comment="why the cycle did not run to its end"
        ),
        sa.Column("outcome", JSONB, nullable=True),
        sa.Column("begun_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("recorded_at", TIME, nullable=True),
        sa.CheckConstraint("(state = 'begun') = (outcome IS NULL)", name=op.f("ck_cycles_outcome")),
        sa.CheckConstraint(
            "(state = 'skipped') = (skipped IS NOT NULL)", name=op.f("ck_cycles_skipped")
        ),
        sa.CheckConstraint(
            "state IN ('begun', 'completed', 'skipped')", name=op.f("ck_cycles_state")
        ),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name="fk_cycles_bot_id"),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshots.id"], name="fk_cycles_snapshot_id"),
        sa.PrimaryKeyConstraint("bot_id", "cycle", name="pk_cycles"),
    )
    op.create_table(
        "dust",
        sa.Column("bot_id", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("quantity", MONEY, nullable=False, comment="coins too few to sell"),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_dust_quantity")),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name="fk_dust_bot_id"),
        sa.PrimaryKeyConstraint("bot_id", "symbol", name="pk_dust"),
    )
    op.create_table(
        "equity_points",
        sa.Column("bot_id", sa.Text(), nullable=False),
        sa.Column("cycle", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", TIME, nullable=False, comment="venue time at which the cycle was due"),
        sa.Column("equity", MONEY, nullable=False, comment="USDT"),
        sa.Column("cash", MONEY, nullable=False, comment="USDT"),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name="fk_equity_points_bot_id"),
        sa.PrimaryKeyConstraint("bot_id", "cycle", name="pk_equity_points"),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("bot_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False, comment="what it tells of; told once"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("figures", JSONB, nullable=False),
        sa.Column("at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name="fk_events_bot_id"),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sa.UniqueConstraint("bot_id", "key", name="uq_events_bot_id_key"),
    )
    op.create_index("ix_events_bot_id_id", "events", ["bot_id", "id"], unique=False)
    op.create_table(
        "ledger_entries",
        sa.Column("bot_id", sa.Text(), nullable=False),
        sa.Column("posting", sa.Text(), nullable=False, comment="deposit:1, fill:<id>"),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", MONEY, nullable=False, comment="debits are positive"),
        sa.Column("booked_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_ledger_entries_amount")),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name="fk_ledger_entries_bot_id"),
        sa.PrimaryKeyConstraint("bot_id", "posting", "line", name="pk_ledger_entries"),
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("bot_id", sa.Text(), nullable=False),
        sa.Column("incarnation", sa.Integer(), nullable=False),
        sa.Column("cycle", sa.BigInteger(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("quantity", MONEY, nullable=False, comment="coins"),
        sa.Column("limit_price", MONEY, nullable=True, comment="USDT"),
        sa.Column("expires_at", TIME, nullable=True, comment="venue time"),
        sa.Column("stop", MONEY, nullable=True, comment="fraction of the average fill"),
        sa.Column("target", MONEY, nullable=True, comment="fraction of the average fill"),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("intended_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("sent_at", TIME, nullable=True),
        sa.Column("finished_at", TIME, nullable=True),
        sa.CheckConstraint(
            "(side = 'buy') = (purpose = 'entry')", name=op.f("ck_orders_entries_buy")
        ),
        sa.CheckConstraint(
            "purpose <> 'entry' OR (limit_price IS NOT NULL AND expires_at IS NOT NULL"
            " AND stop IS NOT NULL AND target IS NOT NULL)",
            name=op.f("ck_orders_entries_are_bounded"),
        ),
        sa.CheckConstraint(
            "purpose IN ('entry', 'stop', 'target', 'hold', 'decision', 'flatten')",
            name=op.f("ck_orders_purpose"),
        ),
        sa.CheckConstraint("side IN ('buy', 'sell')", name=op.f("ck_orders_side")),
        sa.CheckConstraint(
            "state IN ('intended', 'sent', 'open', 'partly_filled', 'unknown',"
            " 'filled', 'refused', 'cancelled')",
            name=op.f("ck_orders_state"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_orders_quantity")),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name="fk_orders_bot_id"),
        sa.PrimaryKeyConstraint("id", name="pk_orders"),
    )
    op.create_index("ix_orders_bot_id_number", "orders", ["bot_id", "number"], unique=False)
    op.create_index(
        "uq_orders_under_way",
        "orders",
        ["bot_id", "symbol"],
        unique=True,
        postgresql_where=sa.text("NOT (state IN ('filled', 'refused', 'cancelled'))"),
    )
    op.create_table(
        "positions",
        sa.Column("bot_id", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("quantity", MONEY, nullable=False, comment="coins, after fees"),
        sa.Column("cost", MONEY, nullable=False, comment="USDT"),
        sa.Column("entry_quantity", MONEY, nullable=False, comment="coins"),
        sa.Column("entry_notional", MONEY, nullable=False, comment="USDT"),
        sa.Column("paid", MONEY, nullable=False, comment="USDT"),
        sa.Column("received", MONEY, nullable=False, comment="USDT"),
        sa.Column("fees", MONEY, nullable=False, comment="USDT"),
        sa.Column("opened_at", TIME, nullable=False, comment="venue time"),
        sa.Column("stop", MONEY, nullable=False, comment="fraction of the average fill"),
        sa.Column("target", MONEY, nullable=False, comment="fraction of the average fill"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity >= 0 AND cost >= 0", name=op.f("ck_positions_amounts")),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name="fk_positions_bot_id"),
        sa.PrimaryKeyConstraint("bot_id", "symbol", name="pk_positions"),
    )
    op.create_table(
        "fills",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("bot_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("venue", sa.Text(), nullable=False, comment="mode:venue, such as paper:okx"),
        sa.Column("trade_id", sa.Text(), nullable=False, comment="the venue's"),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("quantity", MONEY, nullable=False, comment="coins"),
        sa.Column("price", MONEY, nullable=False, comment="USDT"),
        sa.Column("fee", MONEY, nullable=False, comment="in fee_currency"),
        sa.Column("fee_currency", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False, comment="venue time"),
        sa.Column("tick", MONEY, nullable=False),
        sa.Column("lot", MONEY, nullable=False),
        sa.Column("minimum", MONEY, nullable=False),
        sa.Column("booked_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("side IN ('buy', 'sell')", name=op.f("ck_fills_side")),
        sa.CheckConstraint(
            "quantity > 0 AND price > 0 AND fee >= 0", name=op.f("ck_fills_amounts")
        ),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name="fk_fills_bot_id"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_fills_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_fills"),
        sa.UniqueConstraint(
            "venue", "symbol", "side", "trade_id", name="uq_fills_venue_symbol_side_trade_id"
        ),
    )
    op.create_index("ix_fills_bot_id_at", "fills", ["bot_id", "at"], unique=False)
    op.create_index("ix_fills_order_id", "fills", ["order_id"], unique=False)
    op.create_table(
        "llm_decisions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("bot_id", sa.Text(), nullable=False),
        sa.Column("cycle", sa.BigInteger(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("prompt_hash", sa.Text(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("failed", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("tokens_in", sa.Integer(), nullable=False),
        sa.Column("tokens_out", sa.Integer(), nullable=False),
        sa.Column("cost_usd", MONEY, nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("decided_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["bot_id", "cycle"],
            ["cycles.bot_id", "cycles.cycle"],
            name="fk_llm_decisions_bot_id_cycle",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_llm_decisions"),
        sa.UniqueConstraint("bot_id", "cycle", name="uq_llm_decisions_bot_id_cycle"),
    )
    op.create_table(
        "risk_verdicts",
        sa.Column("bot_id", sa.Text(), nullable=False),
        sa.Column("cycle", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("ruling", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("figures", JSONB, nullable=False),
        sa.Column("quantity", MONEY, nullable=True, comment="coins"),
        sa.Column("limit_price", MONEY, nullable=True, comment="USDT"),
        sa.CheckConstraint(
            "purpose IN ('entry', 'stop', 'target', 'hold', 'decision', 'flatten')",
            name=op.f("ck_risk_verdicts_purpose"),
        ),
        sa.CheckConstraint(
            "ruling IN ('approved', 'reduced', 'refused', 'demanded', 'noted')",
            name=op.f("ck_risk_verdicts_ruling"),
        ),
        sa.ForeignKeyConstraint(
            ["bot_id", "cycle"],
            ["cycles.bot_id", "cycles.cycle"],
            name="fk_risk_verdicts_bot_id_cycle",
        ),
        sa.PrimaryKeyConstraint("bot_id", "cycle", "number", name="pk_risk_verdicts"),
    )
    op.create_table(
        "trades",
        sa.Column("fill_id", sa.BigInteger(), nullable=False, comment="the fill that closed it"),
        sa.Column("bot_id", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("quantity", MONEY, nullable=False, comment="coins"),
        sa.Column("entry_price", MONEY, nullable=False, comment="USDT"),
        sa.Column("exit_price", MONEY, nullable=False, comment="USDT"),
        sa.Column("fees", MONEY, nullable=False, comment="USDT"),
        sa.Column("net_pnl", MONEY, nullable=False, comment="USDT"),
        sa.Column("opened_at", TIME, nullable=False, comment="venue time"),
        sa.Column("closed_at", TIME, nullable=False, comment="venue time"),
        sa.Column("exit", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "exit IN ('entry', 'stop', 'target', 'hold', 'decision', 'flatten')",
            name=op.f("ck_trades_exit"),
        ),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name="fk_trades_bot_id"),
        sa.ForeignKeyConstraint(["fill_id"], ["fills.id"], name="fk_trades_fill_id"),
        sa.PrimaryKeyConstraint("fill_id", name="pk_trades"),
    )
    op.create_index("ix_trades_bot_id_fill_id", "trades", ["bot_id", "fill_id"], unique=False)
    op.create_index(
        "ix_trades_bot_id_symbol_closed_at",
        "trades",
        ["bot_id", "symbol", "closed_at"],
        unique=False,
    )


def downgrade() -> None:
    raise RuntimeError("There is nothing before this: going back would delete the whole record.")
