"""What models cost since midnight is found by the time of the decision.

Revision ID: 0008
Revises: 0007
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

NAME = "ix_llm_decisions_decided_at"


def upgrade() -> None:
    op.create_index(NAME, "llm_decisions", ["decided_at"])


def downgrade() -> None:
    op.drop_index(NAME, "llm_decisions")
