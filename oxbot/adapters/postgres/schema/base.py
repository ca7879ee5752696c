"""What all tables share: metadata, naming, and the columns that recur."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from sqlalchemy import CheckConstraint, Column, ForeignKey, ForeignKeyConstraint, MetaData, func

from oxbot.adapters.postgres.columns import Milliseconds

metadata: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def among(column: str, values: Iterable[StrEnum]) -> CheckConstraint:
    """Check that a column holds one of an enumeration's values."""
    return CheckConstraint(one_of(column, values), name=column)


def one_of(column: str, values: Iterable[StrEnum]) -> str:
    """Say in SQL that a column holds one of these values."""
    listed = ", ".join(f"'{value}'" for value in values)
    return f"{column} IN ({listed})"


def of_bot(*, primary: bool = False) -> Column[str]:
    """Make the column that names the bot."""
    return Column("bot_id", ForeignKey("bots.id"), primary_key=primary, nullable=False)


def now(name: str) -> Column[int]:
    """Make a column of wall time that the database fills."""
    return Column(name, Milliseconds, nullable=False, server_default=func.now())


def of_cycle() -> ForeignKeyConstraint:
    """Tie (bot_id, cycle) to its cycle."""
    return ForeignKeyConstraint(["bot_id", "cycle"], ["cycles.bot_id", "cycles.cycle"])
