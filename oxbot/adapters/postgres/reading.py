"""The record as people look through it: all parts of the reading in one."""

from oxbot.adapters.postgres.reading_bots import BotLists
from oxbot.adapters.postgres.reading_curve import Curves
from oxbot.adapters.postgres.reading_figures import Sums
from oxbot.adapters.postgres.reading_lists import Lists
from oxbot.adapters.postgres.reading_positions import PositionLists


class PostgresReading(BotLists, PositionLists, Lists, Curves, Sums):
    """`oxbot.ports.reading.Reading` in PostgreSQL: `PostgresReading(open_engine(url))`."""
