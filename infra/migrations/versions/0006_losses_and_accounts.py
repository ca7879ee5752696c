"""High-water marks, equity points that say whether their prices were fresh, accounts to lock.

Equity recorded before counts as fresh: it was made of the newest prices known. A bot's mark
begins with the next equity that is recorded.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MONEY = sa.Numeric(38, 18)
FRACTION = "fraction of the average fill"
RULINGS = ("approved", "reduced", "refused", "demanded", "noted")


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("venue", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "venue", name="pk_accounts"),
    )
    mark = "USDT; null until recorded again after a resume"
    op.add_column("bots", sa.Column("high_water", MONEY, nullable=True, comment=mark))
    fresh = "whether all prices were young enough"
    op.add_column(
        "equity_points",
        sa.Column("fresh", sa.Boolean(), nullable=False, comment=fresh, server_default=sa.true()),
    )
    op.alter_column("equity_points", "fresh", server_default=None)
    op.create_index("ix_equity_points_bot_id_at", "equity_points", ["bot_id", "at"])
    for name in ("stop", "target"):
        op.add_column("risk_verdicts", sa.Column(name, MONEY, nullable=True, comment=FRACTION))
    op.alter_column("risk_verdicts", "symbol", comment="* is the whole account")
    _allow_rulings(*RULINGS, "halted")


def downgrade() -> None:
    op.execute("DELETE FROM risk_verdicts WHERE ruling = 'halted' OR symbol = '*'")
    _allow_rulings(*RULINGS)
    op.alter_column("risk_verdicts", "symbol", comment=None)
    for name in ("target", "stop"):
        op.drop_column("risk_verdicts", name)
    op.drop_index("ix_equity_points_bot_id_at", "equity_points")
    op.drop_column("equity_points", "fresh")
    op.drop_column("bots", "high_water")
    op.drop_table("accounts")


def _allow_rulings(*rulings: str) -> None:
    op.drop_constraint(op.f("ck_risk_verdicts_ruling"), "risk_verdicts", type_="check")
    listed = ", ".join(f"'{ruling}'" for ruling in rulings)
    op.create_check_constraint(
        op.f("ck_risk_verdicts_ruling"), "risk_verdicts", f"ruling IN ({listed})"
    )
