"""How far the market watch has come, what it led to, and word of every change of a position.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)

TELL = """
CREATE FUNCTION oxbot_tell_position() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    told positions := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    PERFORM pg_notify('oxbot_positions', told.bot_id || ' ' || told.symbol);
    RETURN NULL;
END
$$
"""

TRIGGER = """
CREATE TRIGGER tell_position
AFTER INSERT OR DELETE OR UPDATE OF quantity, version, stop, target, trail ON positions
FOR EACH ROW EXECUTE FUNCTION oxbot_tell_position()
"""


def upgrade() -> None:
    op.create_table(
        "watch_beats",
        sa.Column("venue", sa.Text(), nullable=False),
        sa.Column("beat_at", TIME, nullable=False, comment="when its watch was last at work"),
        sa.Column("stepped", sa.Boolean(), nullable=False, comment="the venue stood still by then"),
        sa.PrimaryKeyConstraint("venue", name="pk_watch_beats"),
    )
    op.create_table(
        "watch_marks",
        sa.Column("venue", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("mark_at", TIME, nullable=False, comment="venue time; examined up to here"),
        sa.PrimaryKeyConstraint("venue", "symbol", name="pk_watch_marks"),
    )
    op.create_table(
        "protections",
        sa.Column("bot_id", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("opened_at", TIME, nullable=False, comment="venue time"),
        sa.Column("version", sa.Integer(), nullable=False, comment="of the position"),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("crossed_at", TIME, nullable=False, comment="venue time"),
        sa.Column("seen_at", TIME, comment="when the watch had the price; null: not by a watch"),
        sa.Column("settled_at", TIME, nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "purpose IN ('entry', 'stop', 'target', 'trail', 'hold', 'decision', 'flatten')",
            name=op.f("ck_protections_purpose"),
        ),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name="fk_protections_bot_id"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_protections_order_id"),
        sa.PrimaryKeyConstraint(
            "bot_id", "symbol", "opened_at", "version", "purpose", name="pk_protections"
        ),
    )
    op.create_index(
        "ix_events_unprotected",
        "events",
        ["bot_id"],
        postgresql_where=sa.text("kind = 'unprotected'"),
    )
    op.execute(TELL)
    op.execute(TRIGGER)


def downgrade() -> None:
    raise RuntimeError("Going back would leave open positions without a watch.")
