"""The equity curve, thinned out by PostgreSQL: its cost goes by the points wanted, not by age."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import ColumnElement, RowMapping, Select, func, lateral, literal, select, true

from oxbot.adapters.postgres.columns import Milliseconds
from oxbot.adapters.postgres.listings import EQUITY, Query, points_within
from oxbot.adapters.postgres.rows import Records
from oxbot.adapters.postgres.schema import equity_points
from oxbot.adapters.postgres.written import joined, written
from oxbot.records.reading import EquityPoint, Stretch

_BY_TIME: Final = (equity_points.c.at, equity_points.c.cycle)


class Curves(Records):
    """The part of the reading that gives curves."""

    async def curve(self, bot_id: str, stretch: Stretch, points: int) -> list[EquityPoint]:
        """Give at most so many points of a stretch, oldest first.

        Where there are more, the stretch is cut into as many equal slices, of which each gives
        its last point: so the newest one is always there.
        """
        rows = await self._points(bot_id, stretch, points, lambda query: query)
        return [EquityPoint.model_validate(dict(row)) for row in rows]

    async def curve_written(self, bot_id: str, stretch: Stretch, points: int) -> str:
        """Give the same as a JSON array, written by PostgreSQL."""
        rows = await self._points(bot_id, stretch, points, _written)
        return joined(row["json"] for row in rows)

    async def _points(
        self, bot_id: str, stretch: Stretch, points: int, shaped: Callable[[Query], Query]
    ) -> Sequence[RowMapping]:
        mine = points_within(bot_id, stretch)
        few = select(*EQUITY).where(mine).order_by(*_BY_TIME).limit(points + 1)
        async with self._still_picture() as connection:
            ends = (await connection.execute(_ends(mine, few))).one()
            wanted = few if ends[2] <= points else _thinned(bot_id, (ends[0], ends[1]), points)
            return (await connection.execute(shaped(wanted))).mappings().all()


def _written(query: Query) -> Query:
    return written(query, EquityPoint)


def _ends(mine: ColumnElement[bool], few: Query) -> Select[int, int, int]:
    """Select the times of the first and the newest point, and whether there are more than few."""
    at = equity_points.c.at
    counted = select(func.count()).select_from(few.subquery("few")).scalar_subquery()
    ends = func.min(at, type_=Milliseconds), func.max(at, type_=Milliseconds)
    return select(*ends, counted).where(mine)


def _thinned(bot_id: str, ends: tuple[int, int], points: int) -> Query:
    """Look up the last point of each slice; slices are counted back from the newest point."""
    (first, last), at = ends, equity_points.c.at
    width = timedelta(milliseconds=-(-(last - first + 1) // points))
    ends_of = func.generate_series(
        literal(last, Milliseconds), literal(first, Milliseconds), literal(-width)
    )
    slices = ends_of.table_valued("ending").render_derived()
    ending = slices.c.ending
    latest = lateral(
        select(*EQUITY)
        .where(equity_points.c.bot_id == bot_id, at <= ending, at > ending - literal(width))
        .order_by(*(column.desc() for column in _BY_TIME))
        .limit(1),
        "latest",
    )
    return select(latest).select_from(slices.join(latest, true())).order_by(latest.c.at_ms)
