"""What long lists and the live stream are read by, and which bots are out of sight.

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TRANSACTION = "((pg_current_xact_id())::text)::bigint"


def upgrade() -> None:
    op.add_column(
        "bots",
        sa.Column(
            "archived_at", sa.DateTime(timezone=True), comment="since when lists leave it out"
        ),
    )
    op.add_column(
        "ledger_entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
    )
    op.create_index("ix_ledger_entries_bot_id_id", "ledger_entries", ["bot_id", "id"])
    op.create_index("ix_fills_bot_id_id", "fills", ["bot_id", "id"])
    op.add_column(
        "events",
        sa.Column(
            "transaction",
            sa.BigInteger(),
            server_default=sa.text(TRANSACTION),
            nullable=False,
            comment="that told of it; those that are over come in their order",
        ),
    )
    op.create_index("ix_events_transaction_id", "events", ["transaction", "id"])


def downgrade() -> None:
    op.drop_index("ix_events_transaction_id", "events")
    op.drop_column("events", "transaction")
    op.drop_index("ix_fills_bot_id_id", "fills")
    op.drop_index("ix_ledger_entries_bot_id_id", "ledger_entries")
    op.drop_column("ledger_entries", "id")
    op.drop_column("bots", "archived_at")
