"""Protection: trailing stops, and exits that rested while nobody watched.

Revision ID: 0004
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MONEY = sa.Numeric(38, 18)
TIME = sa.DateTime(timezone=True)
PURPOSES = "('entry', 'stop', 'target', 'trail', 'hold', 'decision', 'flatten')"


def upgrade() -> None:
    for table, column in (("orders", "purpose"), ("risk_verdicts", "purpose"), ("trades", "exit")):
        name = f"ck_{table}_{column}"
        op.drop_constraint(op.f(name), table, type_="check")
        op.create_check_constraint(op.f(name), table, f"{column} IN {PURPOSES}")
    for table in ("orders", "positions"):
        trail = sa.Column("trail", MONEY, nullable=True, comment="fraction of the best bid")
        op.add_column(table, trail)
    op.add_column(
        "orders",
        sa.Column(
            "resting_price",
            MONEY,
            nullable=True,
            comment="USDT at which it filled while nobody watched",
        ),
    )
    op.add_column(
        "orders",
        sa.Column(
            "crossed_at",
            TIME,
            nullable=True,
            comment="venue time of the price that called for it",
        ),
    )
    op.add_column(
        "positions",
        sa.Column(
            "best",
            MONEY,
            nullable=True,
            comment="USDT, the highest bid since it was opened",
        ),
    )


def downgrade() -> None:
    raise RuntimeError("Going back would leave trailing stops without the price they trail.")
