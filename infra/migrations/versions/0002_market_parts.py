"""Market parts, shared by snapshots.

Snapshots made before keep their rows, since cycles refer to them; their indicators go, for they
could be made again only from candles that nobody kept.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "market_parts",
        sa.Column("venue", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("bar", sa.Text(), nullable=False, comment="length of its candle"),
        sa.Column("candle_at", TIME, nullable=False, comment="venue time of its candle's end"),
        sa.Column("indicators", JSONB, nullable=False),
        sa.Column(
            "candles", JSONB, nullable=False, comment="the last 20 closed ones, oldest first"
        ),
        sa.Column("perpetual", JSONB, nullable=True, comment="five-minute parts only"),
        sa.Column("made_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("bar IN ('5m', '1h', '4h')", name=op.f("ck_market_parts_bar")),
        sa.PrimaryKeyConstraint("venue", "symbol", "bar", "candle_at", name="pk_market_parts"),
    )
    op.drop_constraint("uq_snapshots_venue_candle_at_symbols", "snapshots", type_="unique")
    op.drop_column("snapshots", "indicators")


def downgrade() -> None:
    raise RuntimeError("Going back would leave every snapshot without its figures.")
