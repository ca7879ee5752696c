"""Which refresh token followed which, so that a lost answer can be given again; logins by user.

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "refresh_tokens",
        sa.Column("follows", sa.Text(), comment="hash of the one that gave its place to it"),
    )
    op.create_index("ix_refresh_tokens_follows", "refresh_tokens", ["follows"])
    op.create_index("ix_logins_user_id", "logins", ["user_id"])
    op.create_index("ix_logins_expires_at", "logins", ["expires_at"])


def downgrade() -> None:
    op.drop_index("ix_logins_expires_at", "logins")
    op.drop_index("ix_logins_user_id", "logins")
    op.drop_index("ix_refresh_tokens_follows", "refresh_tokens")
    op.drop_column("refresh_tokens", "follows")
