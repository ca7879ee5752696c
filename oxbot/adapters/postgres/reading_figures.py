"""The sums that statistics are computed from, made by PostgreSQL as of one moment."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import (
    Interval,
    RowMapping,
    Select,
    case,
    cast,
    extract,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, distinct_on

from oxbot.adapters.postgres.columns import Money
from oxbot.adapters.postgres.listings import Query
from oxbot.adapters.postgres.portfolios import read_portfolio
from oxbot.adapters.postgres.rows import Records
from oxbot.adapters.postgres.schema import (
    bots,
    equity_points,
    ledger_entries,
    llm_decisions,
    positions,
    trades,
    write_offs,
)
from oxbot.adapters.postgres.theirs import IS_THEIRS, OF_BOT
from oxbot.domain.bot import no_bot
from oxbot.domain.market import QUOTE_CURRENCY
from oxbot.domain.money import Notional
from oxbot.records.reading import Exits, Fall, Figures, TradeSums, Worth

_DAY_S: Final = 86_400
_ZERO: Final = Notional(0)
_NOTHING: Final = literal(Decimal(0), Money)


def _sum(column: Any, kind: Any) -> Any:  # noqa: ANN401 - as SQLAlchemy's functions
    return func.coalesce(func.sum(column), _NOTHING, type_=kind)


def _amount(column: Any) -> Any:  # noqa: ANN401 - as `_sum`
    return cast(column, Money(Notional))


def _totals() -> Query:
    """Select capital, newest equity, fees, losses, model cost, and the ends of the record."""
    own = equity_points.c.bot_id == OF_BOT
    stale = func.count().filter(~equity_points.c.fresh)
    ends = func.min(equity_points.c.at), func.max(equity_points.c.at)
    points = select(*ends, func.count(), stale).where(own).subquery()
    newest = select(equity_points.c.equity).where(own).order_by(equity_points.c.cycle.desc())
    fees = select(_sum(ledger_entries.c.amount, Money(Notional))).where(
        ledger_entries.c.bot_id == OF_BOT,
        ledger_entries.c.account == "fees",
        ledger_entries.c.currency == QUOTE_CURRENCY,
    )
    lost = select(_sum(write_offs.c.cost, Money(Notional))).where(write_offs.c.bot_id == OF_BOT)
    unpriced = func.count().filter(~llm_decisions.c.priced)
    asked = select(_sum(llm_decisions.c.cost_usd, Money).label("cost"), unpriced.label("unpriced"))
    costs = asked.where(llm_decisions.c.bot_id == OF_BOT).subquery()
    first_ms, newest_ms, counted, stale_points = points.c
    query = select(
        cast(bots.c.settings["capital"].astext, Money(Notional)).label("capital"),
        newest.limit(1).scalar_subquery().label("newest"),
        fees.scalar_subquery().label("fees"),
        lost.scalar_subquery().label("written_off"),
        costs.c.cost.label("model_cost_usd"),
        costs.c.unpriced,
        first_ms.label("first_ms"),
        newest_ms.label("newest_ms"),
        counted.label("points"),
        stale_points.label("stale_points"),
    ).select_from(bots.join(points, true()).join(costs, true()))
    return query.where(IS_THEIRS)


def _worths() -> Any:  # noqa: ANN401 - a subquery
    """Select what the bot was worth at each fresh point: equity less model cost up to its cycle."""
    fresh = (equity_points.c.bot_id == OF_BOT) & equity_points.c.fresh
    points = select(equity_points).where(fresh).subquery("points")
    costs = (
        select(llm_decisions.c.cycle, llm_decisions.c.cost_usd)
        .where(llm_decisions.c.bot_id == OF_BOT)
        .subquery("costs")
    )
    cycle = func.coalesce(points.c.cycle, costs.c.cycle)
    so_far = func.sum(func.coalesce(costs.c.cost_usd, 0)).over(order_by=cycle)
    both = points.join(costs, points.c.cycle == costs.c.cycle, full=True)
    all_ = select(
        cycle.label("cycle"), points.c.at, (points.c.equity - so_far).label("worth")
    ).select_from(both)
    series = all_.subquery("series")
    # A cycle whose model cost something and which has no such equity counts for those after it.
    return select(series).where(series.c.worth.is_not(None)).subquery("worths")


def _fall() -> Query:
    """Select the deepest fall, as a part of the peak before it; the capital is the first peak."""
    worths = _worths()
    capital = select(cast(bots.c.settings["capital"].astext, Money)).where(bots.c.id == OF_BOT)
    top = func.max(worths.c.worth).over(order_by=worths.c.cycle)
    peak = func.greatest(top, capital.scalar_subquery())
    peaks = select(worths.c.at, worths.c.worth, worths.c.cycle, peak.label("peak")).subquery()
    depth = (peaks.c.peak - peaks.c.worth) / peaks.c.peak
    found = select(
        _amount(peaks.c.peak).label("peak"),
        _amount(peaks.c.worth).label("trough"),
        peaks.c.at.label("at_ms"),
    )
    return found.order_by(depth.desc(), peaks.c.cycle).limit(1)


def _days() -> Query:
    """Select the last worth of each UTC day that has one, oldest first."""
    worths = _worths()
    seconds = extract("epoch", worths.c.at)
    day = cast(func.floor(seconds / _DAY_S), bots.c.epoch.type)
    return (
        select(day.label("day"), _amount(worths.c.worth).label("worth"))
        .ext(distinct_on(day))
        .order_by(day, worths.c.at.desc(), worths.c.cycle.desc())
    )


def _trades() -> Query:
    """Select sums of round trips by what ended them; sums of sums are exact."""
    pnl = trades.c.net_pnl
    kind = Money(Notional)
    sums = select(
        trades.c.exit,
        func.count().label("trades"),
        func.count().filter(pnl > _ZERO).label("wins"),
        _sum(pnl, kind).label("net_pnl"),
        _sum(case((pnl > _ZERO, pnl)), kind).label("gained"),
        _sum(case((pnl < _ZERO, -pnl)), kind).label("lost"),
        func.max(pnl, type_=kind).label("best"),
        func.min(pnl, type_=kind).label("worst"),
    )
    return sums.where(trades.c.bot_id == OF_BOT).group_by(trades.c.exit).order_by(trades.c.exit)


def _held() -> Select[timedelta]:
    """Sum how long anything was held between the first and the newest point; overlaps once."""
    mine = equity_points.c.bot_id == OF_BOT
    ends = select(
        func.min(equity_points.c.at).label("first"), func.max(equity_points.c.at).label("newest")
    ).where(mine)
    stretch = ends.subquery("stretch")
    closed = select(trades.c.opened_at, trades.c.closed_at).where(trades.c.bot_id == OF_BOT)
    open_ = select(
        positions.c.opened_at, func.greatest(positions.c.opened_at, stretch.c.newest)
    ).select_from(positions.join(stretch, true()))
    held = closed.union_all(open_.where(positions.c.bot_id == OF_BOT)).subquery("held")
    opened, ended = held.c
    spans = func.range_agg(func.tstzrange(opened, func.greatest(opened, ended)))
    whole = func.tstzmultirange(func.tstzrange(stretch.c.first, stretch.c.newest))
    inside = (
        select(func.unnest(spans.op("*")(whole), type_=TSTZRANGE).label("span"))
        .select_from(held.join(stretch, true()))
        .group_by(stretch.c.first, stretch.c.newest)
    )
    part = inside.subquery("inside")
    return select(func.sum(func.upper(part.c.span) - func.lower(part.c.span), type_=Interval))


# Made once: to make one costs more than to ask it.
_TOTALS: Final = _totals()
_FALL: Final = _fall()
_DAYS: Final = _days()
_TRADES: Final = _trades()
_HELD: Final = _held()


class Sums(Records):
    """The part of the reading that sums a bot's record up."""

    async def figures(self, bot_id: str, owner: str | None = None) -> Figures:
        """Sum a bot's record up; NotFound, also where it is not this owner's."""
        of = {"of_bot": bot_id}
        async with self._still_picture() as connection:
            totals = (await connection.execute(_TOTALS, of | {"of_owner": owner})).mappings()
            found = totals.one_or_none()
            if found is None:
                raise no_bot(bot_id)
            held = (await connection.execute(_HELD, of)).scalar_one_or_none()
            fall = (await connection.execute(_FALL, of)).mappings().one_or_none()
            days = (await connection.execute(_DAYS, of)).mappings().all()
            ended = (await connection.execute(_TRADES, of)).mappings().all()
            newest = found["newest"]
            if newest is None:
                newest = (await read_portfolio(connection, bot_id)).equity({})
        return Figures(
            **{name: value for name, value in found.items() if name != "newest"},
            equity=newest,
            held_ms=0 if held is None else held // timedelta(milliseconds=1),
            fall=None if fall is None else Fall.model_validate(dict(fall)),
            days=tuple(Worth.model_validate(dict(row)) for row in days),
            trades=_summed(ended),
        )


def _summed(rows: Sequence[RowMapping]) -> TradeSums:
    if not rows:
        return TradeSums()
    return TradeSums(
        trades=sum(row["trades"] for row in rows),
        wins=sum(row["wins"] for row in rows),
        gained=sum((row["gained"] for row in rows), Notional(0)),
        lost=sum((row["lost"] for row in rows), Notional(0)),
        best=max(row["best"] for row in rows),
        worst=min(row["worst"] for row in rows),
        exits={row["exit"]: Exits(trades=row["trades"], net_pnl=row["net_pnl"]) for row in rows},
    )
