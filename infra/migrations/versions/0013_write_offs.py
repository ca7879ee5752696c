"""What is gone from an account and written off, and events of what differs.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLE = "write_offs"
MONEY = sa.Numeric(38, 18)
TIME = sa.DateTime(timezone=True)
EXITS = ("entry", "stop", "target", "trail", "hold", "decision", "flatten")


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("bot_id", sa.Text(), nullable=False),
        _text("wish", "what a person confirmed at once, by its id"),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", MONEY, nullable=False, comment="in currency"),
        sa.Column("cost", MONEY, nullable=False, comment="USDT"),
        _after_fill(),
        sa.Column("symbol", sa.Text(), comment="null for USDT, as the steps"),
        sa.Column("tick", MONEY),
        sa.Column("lot", MONEY),
        sa.Column("minimum", MONEY),
        sa.Column("at", TIME, nullable=False, comment="venue time"),
        sa.Column("booked_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_write_offs_amount")),
        sa.CheckConstraint(
            "(symbol IS NULL) = (minimum IS NULL)", name=op.f("ck_write_offs_steps")
        ),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name=op.f("fk_write_offs_bot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_write_offs")),
        sa.UniqueConstraint(
            "bot_id", "wish", "currency", name=op.f("uq_write_offs_bot_id_wish_currency")
        ),
    )
    op.create_index(
        "ix_events_of_account",
        "events",
        ["bot_id", "id"],
        postgresql_where=sa.text("kind IN ('account_differs', 'account_agrees')"),
    )
    _allow_exits(*EXITS, "write_off")
    _comment("trades", "fill_id", "its last fill")
    _comment("ledger_entries", "posting", "deposit:1, fill:<id>, write_off:<id>")


def downgrade() -> None:
    _comment("ledger_entries", "posting", "deposit:1, fill:<id>")
    _comment("trades", "fill_id", "the fill that closed it")
    _allow_exits(*EXITS)
    op.drop_index("ix_events_of_account", "events")
    op.drop_table(TABLE)


def _allow_exits(*exits: str) -> None:
    """Say which ends a trade can have."""
    name, listed = op.f("ck_trades_exit"), ", ".join(f"'{one}'" for one in exits)
    op.drop_constraint(name, "trades", type_="check")
    op.create_check_constraint(name, "trades", f"exit IN ({listed})")


def _comment(table: str, column: str, comment: str) -> None:
    op.execute(f"COMMENT ON COLUMN {table}.{column} IS '{comment}'")


def _text(name: str, comment: str) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), nullable=False, comment=comment)


def _after_fill() -> sa.Column[object]:
    comment = "number of the bot's last one then"
    return sa.Column("after_fill", sa.BigInteger(), nullable=False, comment=comment)
