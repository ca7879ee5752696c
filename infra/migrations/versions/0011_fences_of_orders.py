"""Until when the exchange takes the request that an order's claim allowed.

Orders sent before have none; they were on paper, where nobody waits for one.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLE = "orders"
NAME = "fence_at"


def upgrade() -> None:
    comment = "venue time at which its request expires"
    op.add_column(TABLE, sa.Column(NAME, sa.DateTime(timezone=True), comment=comment))


def downgrade() -> None:
    op.drop_column(TABLE, NAME)
