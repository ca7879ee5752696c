"""Rows as JSON, written by PostgreSQL: long lists cost this process next to nothing."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    cast,
    extract,
    func,
    literal_column,
    select,
)

from oxbot.adapters.postgres.columns import Milliseconds, Money
from oxbot.domain.values import Value

Columns = Mapping[str, ColumnElement[Any]]  # Any: as columns have it
Derived = Callable[[Columns], Columns]
"""Gives the fields that are no column of their own, computed from those there are."""


def written(
    query: Select[*tuple[Any, ...]], kind: type[Value], derived: Derived = lambda _: {}
) -> Select[*tuple[Any, ...]]:
    """Have each row written as the JSON of such a value, as column `json`, a text.

    Columns that are no field of it stay as they are. Amounts become text without trailing zeros,
    times ms.
    """
    rows = query.subquery("listed")
    columns = {**dict(rows.c), **derived(dict(rows.c))}
    others = [column for name, column in rows.c.items() if name not in kind.model_fields]
    return select(cast(as_object(columns, kind.model_fields), Text).label("json"), *others)


def as_object(columns: Columns, names: Iterable[str]) -> ColumnElement[Any]:
    """Make a JSON object of the columns of these names."""
    fields: list[ColumnElement[Any]] = []
    for name in names:
        fields += [literal_column(f"'{name}'", Text), _as_json(columns[name])]
    return func.json_build_object(*fields)


def _as_json(column: ColumnElement[Any]) -> ColumnElement[Any]:
    if isinstance(column.type, Money):
        return cast(func.trim_scale(column), Text)
    if isinstance(column.type, Milliseconds):
        return cast(func.floor(extract("epoch", column) * 1000), BigInteger)
    return column
