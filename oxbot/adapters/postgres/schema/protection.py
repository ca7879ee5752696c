"""The tables of protection: how far the market watch has come, and what it led to."""

from typing import Final

from sqlalchemy import Boolean, Column, ForeignKey, Integer, Table, Text

from oxbot.adapters.postgres.columns import Milliseconds
from oxbot.adapters.postgres.schema.base import among, metadata, of_bot
from oxbot.domain.orders import ORDERED

watch_beats: Final = Table(
    "watch_beats",
    metadata,
    Column("venue", Text, primary_key=True),
    Column("beat_at", Milliseconds, nullable=False, comment="when its watch was last at work"),
    Column("stepped", Boolean, nullable=False, comment="the venue stood still by then"),
)

watch_marks: Final = Table(
    "watch_marks",
    metadata,
    Column("venue", Text, primary_key=True),
    Column("symbol", Text, primary_key=True),
    Column("mark_at", Milliseconds, nullable=False, comment="venue time; examined up to here"),
)

protections: Final = Table(
    "protections",
    metadata,
    of_bot(primary=True),
    Column("symbol", Text, primary_key=True),
    Column("opened_at", Milliseconds, primary_key=True, comment="venue time"),
    Column("version", Integer, primary_key=True, autoincrement=False, comment="of the position"),
    Column("purpose", Text, primary_key=True),
    Column("crossed_at", Milliseconds, nullable=False, comment="venue time"),
    Column("seen_at", Milliseconds, comment="when the watch had the price; null: not by a watch"),
    Column("settled_at", Milliseconds, nullable=False),
    Column("order_id", ForeignKey("orders.id"), nullable=False),
    among("purpose", ORDERED),
)
