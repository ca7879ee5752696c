"""The version of the prompt's wording, with each decision.

Decisions made before have version 0: their wording had none.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLE = "llm_decisions"
NAME = "prompt_version"


def upgrade() -> None:
    version = sa.Column(
        NAME, sa.Text(), nullable=False, comment="of the wording", server_default="0"
    )
    op.add_column(TABLE, version)
    op.alter_column(TABLE, NAME, server_default=None)


def downgrade() -> None:
    op.drop_column(TABLE, NAME)
