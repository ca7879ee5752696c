"""Positions of either direction: a short owes coins, and its entry is a sell.

All that was held before was long. Each order was filled by one execution, and each exit closed
its whole position.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MONEY = sa.Numeric(38, 18)


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
    for name, unit in (("exit_quantity", "coins"), ("exit_notional", "USDT")):
        column = sa.Column(name, MONEY, server_default="0", nullable=False, comment=unit)
        op.add_column("positions", column)
        op.alter_column("positions", name, server_default=None)
    told = "of the order's fills booked together"
    last: sa.Column[bool] = sa.Column(
        "last", sa.Boolean(), server_default="true", nullable=False, comment=told
    )
    op.add_column("fills", last)
    op.alter_column("fills", "last", server_default=None)
    _comment("positions", "quantity", "coins, after fees", "coins, after fees; negative: short")
    _comment("positions", "cost", "USDT", "USDT, of the quantity's sign")
    _comment("dust", "quantity", "coins too few to sell", "coins too few to trade")


def _comment(table: str, column: str, before: str, after: str) -> None:
    op.alter_column(table, column, comment=after, existing_comment=before)


def downgrade() -> None:
    raise RuntimeError("Going back would leave short positions that nothing could read.")
