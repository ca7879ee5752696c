"""The equity curve, thinned out by PostgreSQL: its cost goes by the points wanted, not by age."""

from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Double,
    Integer,
    Interval,
    bindparam,
    cast,
    extract,
    func,
    lateral,
    literal_column,
    select,
    true,
    union_all,
)

from oxbot.adapters.postgres.listings import EQUITY, WITHIN, Query, given_of
from oxbot.adapters.postgres.rows import Records
from oxbot.adapters.postgres.schema import equity_points
from oxbot.adapters.postgres.theirs import OF_BOT, if_theirs, of_theirs
from oxbot.adapters.postgres.written import written
from oxbot.records.reading import EquityPoint, Stretch

_POINTS: Final = bindparam("points", type_=Integer)
_MILLISECOND: Final[ColumnElement[Any]] = literal_column("interval '1 millisecond'", Interval)
_at: Final = equity_points.c.at
_BY_TIME: Final = (_at, equity_points.c.cycle)
_POINT: Final = (*EQUITY, _at.label("by_at"), equity_points.c.cycle.label("by_cycle"))
"""The columns of a point, and those by which the curve is sorted."""


def _ms(time: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.floor(extract("epoch", time) * 1000)


_mine: Final = select(*_POINT).where(equity_points.c.bot_id == OF_BOT, WITHIN)
_some: Final = (
    select(_at).where(equity_points.c.bot_id == OF_BOT, WITHIN).limit(_POINTS + 1).subquery("some")
)
_bounds: Final = (
    select(
        func.min(_at).label("first"),
        func.max(_at).label("newest"),
        # Counted no further than tells whether they are too many.
        select(func.count()).select_from(_some).scalar_subquery().label("counted"),
    )
    .where(equity_points.c.bot_id == OF_BOT, WITHIN)
    .subquery("bounds")
)
_slice_ms: Final = func.ceil((_ms(_bounds.c.newest) - _ms(_bounds.c.first) + 1) / _POINTS)
_back: Final = _MILLISECOND.op("*", return_type=Interval())(cast(-_slice_ms, Double))
_ends: Final = select(*_bounds.c, _back.label("back")).cte("ends")
_few: Final = (
    _mine.where(select(_ends.c.counted).scalar_subquery() <= _POINTS)
    .order_by(*_BY_TIME)
    .limit(_POINTS)
)

# The last point of each slice is looked up; slices are counted back from the newest point.
_slices: Final = (
    func.generate_series(_ends.c.newest, _ends.c.first, _ends.c.back)
    .table_valued("ending")
    .render_derived()
)
_latest: Final = lateral(
    _mine.where(_at <= _slices.c.ending, _at > _slices.c.ending + _ends.c.back)
    .order_by(*(column.desc() for column in _BY_TIME))
    .limit(1),
    "latest",
)
_thinned: Final = (
    select(*_latest.c)
    .select_from(_ends.join(_slices, true()).join(_latest, true()))
    .where(_ends.c.counted > _POINTS)
)
_curve: Final = union_all(_few, _thinned).subquery("curve")
_CURVE: Final[Query] = select(*_curve.c).order_by(_curve.c.by_at, _curve.c.by_cycle)
_rows: Final = written(select(*_curve.c), EquityPoint).subquery("rows")
_WRITTEN: Final = of_theirs(_rows, _rows.c.json).order_by(_rows.c.by_at, _rows.c.by_cycle)


class Curves(Records):
    """The part of the reading that gives curves."""

    async def curve(self, bot_id: str, stretch: Stretch, points: int) -> list[EquityPoint]:
        """Give at most so many points of a stretch, oldest first.

        Where there are more, the stretch is cut into as many equal slices, of which each gives
        its last point: so the newest one is always there.
        """
        async with self._statements() as connection:
            rows = (await connection.execute(_CURVE, _given(bot_id, stretch, points))).mappings()
            return [
                EquityPoint(**{name: row[name] for name in EquityPoint.model_fields})
                for row in rows
            ]

    async def curve_written(
        self, bot_id: str, stretch: Stretch, points: int, owner: str | None = None
    ) -> str:
        """Give the same as a JSON array, written by PostgreSQL; NotFound."""
        given = _given(bot_id, stretch, points) | {"of_owner": owner}
        async with self._statements() as connection:
            rows = (await connection.execute(_WRITTEN, given)).mappings().all()
        return f"[{','.join(row['json'] for row in if_theirs(rows, bot_id))}]"


def _given(bot_id: str, stretch: Stretch, points: int) -> dict[str, object]:
    return {"of_bot": bot_id, "points": points, **given_of(stretch)}
