"""Bots with their newest cycle and what they hold, written as JSON by PostgreSQL."""

from functools import cache
from typing import Any, Final

from sqlalchemy import (
    JSON,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Subquery,
    Text,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from oxbot.adapters.postgres.history import CYCLE
from oxbot.adapters.postgres.listings import Query, of_cycles
from oxbot.adapters.postgres.rows import POSITION
from oxbot.adapters.postgres.schema import bots, cycles, equity_points, positions
from oxbot.adapters.postgres.theirs import OF_OWNER
from oxbot.adapters.postgres.written import as_object
from oxbot.domain.bot import Bot
from oxbot.domain.portfolio import Position
from oxbot.records import CycleRow
from oxbot.records.reading import BotState

Column = ColumnElement[Any]  # Any: as columns have it

_MADE: Final = tuple_(bots.c.created_at, bots.c.id)
_BEFORE: Final = tuple_(
    bindparam("made", type_=bots.c.created_at.type), bindparam("last_id", type_=Text)
)
_OF_OWNER: Final = OF_OWNER.is_(None) | (bots.c.settings["owner"].astext == OF_OWNER)


@cache
def states(*, archived: bool) -> Query:
    """Select bots of `of_owner` (null: of all), the last made first, as the JSON of `BotState`.

    At most `most`, of those that were `made` before a time; of that very time, those before
    `last_id`. The page comes first: all else is looked up for its bots alone.
    """
    page = (
        select(bots)
        .where(_OF_OWNER, bots.c.archived_at.is_not(None) == archived, _MADE < _BEFORE)
        .order_by(bots.c.created_at.desc(), bots.c.id.desc())
        .limit(bindparam("most", type_=Integer))
        .subquery("page")
    )
    last, newest = _last(page).lateral("last"), _newest(page).lateral("newest")
    held = _held(page, last.c.quotes).lateral("held")
    columns: dict[str, Column] = {
        "bot": _bot(page),
        "cash": page.c.cash,
        "equity": newest.c.equity,
        "last": _cycle(last, newest),
        "quotes": held.c.quotes,
        "positions": held.c.positions,
    }
    written = cast(as_object(columns, BotState.model_fields), Text).label("json")
    return (
        select(written, page.c.created_at, page.c.id)
        .select_from(page.outerjoin(last, true()).outerjoin(newest, true()).outerjoin(held, true()))
        .order_by(page.c.created_at.desc(), page.c.id.desc())
    )


def _bot(page: Subquery) -> Column:
    times = {"created_ms": page.c.created_at, "archived_ms": page.c.archived_at}
    return as_object({**dict(page.c), **times}, Bot.model_fields)


def _last(page: Subquery) -> Select[*tuple[Any, ...]]:
    """Select the newest cycle, which may be under way, and the prices that it saw."""
    mine = select(*CYCLE, cycles.c.quotes).where(cycles.c.bot_id == page.c.id)
    return mine.order_by(cycles.c.cycle.desc()).limit(1)


def _newest(page: Subquery) -> Select[*tuple[Any, ...]]:
    """Select the newest point of equity, which may be of a cycle before the newest."""
    mine = select(equity_points.c.cycle, equity_points.c.equity)
    mine = mine.where(equity_points.c.bot_id == page.c.id)
    return mine.order_by(equity_points.c.cycle.desc()).limit(1)


def _cycle(last: FromClause, newest: FromClause) -> Column:
    equity = case((newest.c.cycle == last.c.cycle, newest.c.equity))
    columns = {**dict(last.c), **of_cycles(dict(last.c)), "equity": equity}
    return case((last.c.cycle.is_not(None), as_object(columns, CycleRow.model_fields)))


def _held(page: Subquery, seen: Column) -> Select[*tuple[Any, ...]]:
    """Select what a bot holds, by coin, and the prices of it that were seen."""
    symbol, quote = positions.c.symbol, seen[positions.c.symbol]
    written = as_object({column.name: column for column in POSITION}, Position.model_fields)
    quotes = func.json_object_agg(symbol, quote).filter(quote.is_not(None))
    return select(
        _or(func.json_agg(aggregate_order_by(written, symbol)), "[]").label("positions"),
        _or(quotes, "{}").label("quotes"),
    ).where(positions.c.bot_id == page.c.id)


def _or(column: Column, empty: str) -> Column:
    return func.coalesce(column, literal_column(f"'{empty}'::json", JSON), type_=JSON)
