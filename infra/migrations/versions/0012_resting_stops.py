"""Stops and targets of live positions that rest at the exchange.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLE = "resting_stops"
MONEY = sa.Numeric(38, 18)
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", sa.Text(), nullable=False, comment="the exchange's client id"),
        sa.Column("bot_id", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        _time("opened_at", "of the position; venue time"),
        _number(),
        _amount("quantity", "coins"),
        _amount("stop_price", "USDT"),
        _amount("target_price", "USDT"),
        _time("fence_at", "venue time"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("written_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "quantity > 0 AND stop_price > 0 AND target_price > 0",
            name=op.f("ck_resting_stops_amounts"),
        ),
        sa.CheckConstraint(
            "state IN ('sent', 'resting', 'ended')", name=op.f("ck_resting_stops_state")
        ),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name=op.f("fk_resting_stops_bot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resting_stops")),
        sa.UniqueConstraint(
            "bot_id",
            "symbol",
            "opened_at",
            "number",
            name=op.f("uq_resting_stops_bot_id_symbol_opened_at_number"),
        ),
    )
    op.create_index(
        "uq_resting_stops_alive",
        TABLE,
        ["bot_id", "symbol"],
        unique=True,
        postgresql_where=sa.text("NOT (state IN ('ended'))"),
    )


def downgrade() -> None:
    op.drop_table(TABLE)


def _number() -> sa.Column[object]:
    comment = "of the position's resting stops"
    return sa.Column("number", sa.Integer(), nullable=False, comment=comment)


def _time(name: str, comment: str) -> sa.Column[object]:
    return sa.Column(name, TIME, nullable=False, comment=comment)


def _amount(name: str, comment: str) -> sa.Column[object]:
    return sa.Column(name, MONEY, nullable=False, comment=comment)
