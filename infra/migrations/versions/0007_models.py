"""What a model remembered of a prompt, and whether its reply had to be repaired.

Decisions made before were the baseline's, which does neither.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLE = "llm_decisions"


def upgrade() -> None:
    cached, repaired = "of tokens_in", "by a second request"
    op.add_column(
        TABLE,
        sa.Column(
            "tokens_cached", sa.Integer(), nullable=False, comment=cached, server_default="0"
        ),
    )
    op.add_column(
        TABLE,
        sa.Column(
            "repaired", sa.Boolean(), nullable=False, comment=repaired, server_default=sa.false()
        ),
    )
    for name in ("tokens_cached", "repaired"):
        op.alter_column(TABLE, name, server_default=None)


def downgrade() -> None:
    for name in ("repaired", "tokens_cached"):
        op.drop_column(TABLE, name)
