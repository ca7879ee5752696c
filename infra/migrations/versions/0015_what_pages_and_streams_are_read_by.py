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

# Where rows lie in the table is not the order in which they were booked: free room is used again,
# and each connection fills pages of its own. Fills are numbered under their bot's lock.
BOOKED = """
UPDATE ledger_entries SET id = booked.place FROM (
    SELECT entry.bot_id, entry.posting, entry.line, row_number() OVER (
        ORDER BY entry.bot_id,
            CASE split_part(entry.posting, ':', 1)
                WHEN 'fill' THEN split_part(entry.posting, ':', 2)::bigint
                WHEN 'write_off' THEN loss.after_fill
                ELSE 0
            END,
            split_part(entry.posting, ':', 1) = 'write_off',
            split_part(entry.posting, ':', 2)::bigint,
            entry.line
    ) AS place
    FROM ledger_entries AS entry
    LEFT JOIN write_offs AS loss ON entry.posting = 'write_off:' || loss.id
) AS booked
WHERE ledger_entries.bot_id = booked.bot_id
    AND ledger_entries.posting = booked.posting
    AND ledger_entries.line = booked.line
"""

GO_ON = """
SELECT setval(pg_get_serial_sequence('ledger_entries', 'id'), coalesce(max(id), 0) + 1, false)
FROM ledger_entries
"""

# Stable, so that a table that is there gets it without being written anew: all of its events are
# of the transaction that migrates, in the order of their numbers.
TRANSACTION = "((pg_current_xact_id())::text)::bigint"


def upgrade() -> None:
    op.add_column(
        "bots",
        sa.Column(
            "archived_at", sa.DateTime(timezone=True), comment="since when lists leave it out"
        ),
    )
    op.add_column("ledger_entries", sa.Column("id", sa.BigInteger()))
    op.execute(BOOKED)
    op.alter_column("ledger_entries", "id", nullable=False)
    op.execute("ALTER TABLE ledger_entries ALTER id ADD GENERATED ALWAYS AS IDENTITY")
    op.execute(GO_ON)
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
