"""What a bot was asked for with: by that a request that comes again is known.

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "bots", sa.Column("asked", sa.Text(), comment="digest of the request that made it by a key")
    )


def downgrade() -> None:
    op.drop_column("bots", "asked")
