"""What the lists of a bot are: each is read by the number that its index is sorted by."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    RowMapping,
    Select,
    Text,
    bindparam,
    cast,
    func,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB

from oxbot.adapters.postgres.columns import Milliseconds, Money
from oxbot.adapters.postgres.history import (
    cycle_row_of,
    cycles_listed,
    events_listed,
    order_row_of,
    orders_listed,
    trades_listed,
)
from oxbot.adapters.postgres.questions import ASKED
from oxbot.adapters.postgres.rows import OF_CYCLE
from oxbot.adapters.postgres.schema import (
    cycles,
    equity_points,
    events,
    fills,
    ledger_entries,
    llm_decisions,
    orders,
    trades,
)
from oxbot.adapters.postgres.theirs import OF_BOT, of_theirs
from oxbot.adapters.postgres.written import Columns, Derived, written
from oxbot.domain.errors import InputError
from oxbot.domain.money import Price, Quantity
from oxbot.domain.values import Value
from oxbot.ports.reading import ListName
from oxbot.records import CycleRow, EventRow, TradeRow
from oxbot.records.reading import (
    DecisionLine,
    EquityPoint,
    FillRow,
    LedgerRow,
    OrderLine,
    Part,
    Stretch,
)

Row = TypeVar("Row", bound=Value)
Query = Select[*tuple[object, ...]]

_CURSOR: Final = re.compile("[0-9]{1,18}")
KEY: Final = "list_key"
LATEST_MS: Final = 253_402_300_799_999
"""The last millisecond of the year 9999, beyond which there is no date."""

MONEY_DIGITS: Final = 12
"""Of the money scale."""

EQUITY: Final = (
    *(c for c in equity_points.c if c.name in EquityPoint.model_fields),
    equity_points.c.at.label("at_ms"),
)
"""The columns of an EquityPoint."""

_ORDERS: Final = orders_listed().add_columns(
    orders.c.intended_at.label("intended_ms"), orders.c.finished_at.label("finished_ms")
)
_FILLS: Final = select(
    *(c for c in fills.c if c.name in FillRow.model_fields), fills.c.at.label("at_ms")
)
_LEDGER: Final = select(
    *(c for c in ledger_entries.c if c.name in LedgerRow.model_fields),
    ledger_entries.c.booked_at.label("booked_ms"),
)
_DECISIONS: Final = select(
    *(c for c in llm_decisions.c if c.name in DecisionLine.model_fields),
    cast(cast(llm_decisions.c.decision, JSONB)["summary"].astext, Text).label("summary"),
    llm_decisions.c.decided_at.label("decided_ms"),
    cycles.c.due_at.label("due_ms"),
    ASKED.label("asked"),
).join(cycles, OF_CYCLE)


def of_cycles(of: Columns) -> Columns:
    """Give the fields of a CycleRow that are computed."""
    return {
        "due_ms": of["due_at"],
        "recorded_ms": of["recorded_at"],
        "decision": func.coalesce(of["decision"], ""),
        "orders": func.coalesce(of["orders"], 0),
    }


def _of_orders(of: Columns) -> Columns:
    nothing = literal(Quantity(0), Money(Quantity))
    average = func.round(of["notional"] / func.nullif(of["filled"], nothing), MONEY_DIGITS)
    return {
        "filled": func.coalesce(of["filled"], nothing, type_=Money(Quantity)),
        "price": type_coerce(average, Money(Price)),
    }


def _order_line(row: RowMapping) -> OrderLine:
    times = {name: row[name] for name in ("limit_price", "intended_ms", "finished_ms")}
    return OrderLine(**dict(order_row_of(row)), **times)


def _reader(kind: type[Row]) -> Callable[[RowMapping], Row]:
    names = tuple(kind.model_fields)

    def read(row: RowMapping) -> Row:
        given: dict[str, Any] = {name: row[name] for name in names}  # Any: as columns have it
        return kind.model_validate(given)

    return read


@dataclass(frozen=True, eq=False)
class Listing(Generic[Row]):
    """A list: its query, the number it is sorted by, and how its rows are read and written."""

    query: Query
    key: Column[int]
    kind: type[Row]
    read: Callable[[RowMapping], Row]
    derived: Derived = lambda _: {}

    @cache  # noqa: B019 - there are as many as lists
    def part(self, *, older: bool) -> Query:
        """Select a part of a bot's list: `of_bot`, `most` rows, those `before` a number."""
        mine = self.query.where(self.key.table.c.bot_id == OF_BOT)
        known = mine.where(self.key < bindparam("before", type_=BigInteger)) if older else mine
        keyed = known.add_columns(self.key.label(KEY)).order_by(self.key.desc())
        return keyed.limit(bindparam("most", type_=Integer))

    @cache  # noqa: B019 - as above
    def written(self, *, older: bool) -> Query:
        """Select the same as JSON, if the bot is `of_owner`'s."""
        rows = written(self.part(older=older), self.kind, self.derived).subquery("rows")
        return of_theirs(rows, rows.c.json, rows.c[KEY]).order_by(rows.c[KEY].desc())


def _plain(query: Query, key: Column[int], kind: type[Row]) -> Listing[Row]:
    return Listing(query, key, kind, _reader(kind))


CYCLES: Final = Listing(cycles_listed(), cycles.c.cycle, CycleRow, cycle_row_of, of_cycles)
ORDERS: Final = Listing(_ORDERS, orders.c.number, OrderLine, _order_line, _of_orders)
TRADES: Final = _plain(trades_listed(), trades.c.fill_id, TradeRow)
FILLS: Final = _plain(_FILLS, fills.c.id, FillRow)
LEDGER: Final = _plain(_LEDGER, ledger_entries.c.id, LedgerRow)
DECISIONS: Final = _plain(_DECISIONS, llm_decisions.c.cycle, DecisionLine)
EVENTS: Final = _plain(events_listed(), events.c.id, EventRow)

WITHIN: Final = equity_points.c.at.between(
    bindparam("since", type_=Milliseconds), bindparam("until", type_=Milliseconds)
)
"""Says that a point is of a stretch: `since` one time `until` another."""

EQUITY_POINTS: Final = _plain(select(*EQUITY).where(WITHIN), equity_points.c.cycle, EquityPoint)

LISTINGS: Final[Mapping[ListName, Listing[Any]]] = {  # Any: of whatever row
    "cycles": CYCLES,
    "orders": ORDERS,
    "trades": TRADES,
    "fills": FILLS,
    "ledger": LEDGER,
    "decisions": DECISIONS,
    "events": EVENTS,
}


def given_of(stretch: Stretch) -> dict[str, object]:
    """Give the ends of a stretch, which may have none."""
    until = LATEST_MS if stretch.until_ms is None else stretch.until_ms
    return {"since": stretch.since_ms or 0, "until": until}


def given_for(bot_id: str, part: Part) -> dict[str, object]:
    """Give what a list's query takes: one row more than wanted tells whether anything follows."""
    given: dict[str, object] = {"of_bot": bot_id, "most": part.limit + 1}
    return given if part.cursor is None else {**given, "before": _before(part.cursor)}


def _before(cursor: str) -> int:
    if not _CURSOR.fullmatch(cursor):
        raise no_cursor(cursor)
    return int(cursor)


def no_cursor(cursor: str) -> InputError:
    """Say that a cursor is none."""
    return InputError(
        f"{cursor[:40]!r} is no cursor of this list: use the `next` of its last page."
    )
