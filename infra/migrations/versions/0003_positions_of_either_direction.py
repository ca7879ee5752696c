"""Positions of either direction: a short owes coins, and its entry is a sell.

All that was held before was long.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint(op.f("ck_orders_entries_buy"), "orders", type_="check")
    op.drop_constraint(op.f("ck_positions_amounts"), "positions", type_="check")
    op.create_check_constraint(
        op.f("ck_positions_amounts"), "positions", "quantity <> 0 AND quantity * cost >= 0"
    )
    op.drop_constraint(op.f("ck_dust_quantity"), "dust", type_="check")
    op.add_column(
        "trades", sa.Column("direction", sa.Text(), server_default="long", nullable=False)
    )
    op.alter_column("trades", "direction", server_default=None)
    op.create_check_constraint(
        op.f("ck_trades_direction"), "trades", "direction IN ('long', 'short')"
    )
    _comment("positions", "quantity", "coins, after fees", "coins, after fees; negative: short")
    _comment("positions", "cost", "USDT", "USDT, of the quantity's sign")
    _comment("dust", "quantity", "coins too few to sell", "coins too few to trade")


def _comment(table: str, column: str, before: str, after: str) -> None:
    op.alter_column(table, column, comment=after, existing_comment=before)


def downgrade() -> None:
    raise RuntimeError("Going back would leave short positions that nothing could read.")
