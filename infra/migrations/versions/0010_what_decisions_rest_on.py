"""What a decision and a judgement rest on, so that both can be had again.

Of decisions made before, nobody knows; their cycles can be shown and not replayed.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

DECISIONS = "llm_decisions"
CYCLES = "cycles"

TEXTS = {
    "finish_reason": "why the reply ends where it does",
    "first_reply": "which was asked to be repaired",
    "first_finish": "why that one ended",
    "passed_over": "models that should have decided, and why they did not",
}


def upgrade() -> None:
    op.add_column(DECISIONS, sa.Column("facts", JSONB(none_as_null=True), comment="shown"))
    op.add_column(DECISIONS, sa.Column("choice", JSONB(none_as_null=True), comment="who was asked"))
    for name, comment in TEXTS.items():
        op.add_column(DECISIONS, sa.Column(name, sa.Text(), comment=comment))
    for name, comment, before in (
        ("priced", "whether the cost is known", "true"),
        ("gated", "nobody was asked, as nothing had changed", "false"),
    ):
        added: sa.Column[bool] = sa.Column(
            name, sa.Boolean(), nullable=False, comment=comment, server_default=before
        )
        op.add_column(DECISIONS, added)
        op.alter_column(DECISIONS, name, server_default=None)
    op.add_column(CYCLES, sa.Column("judged_on", JSONB(none_as_null=True), comment="the context"))


def downgrade() -> None:
    op.drop_column(CYCLES, "judged_on")
    for name in ("gated", "priced", *TEXTS, "choice", "facts"):
        op.drop_column(DECISIONS, name)
