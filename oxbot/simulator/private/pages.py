"""Pages of what an account had: newest first, by OKX's filters."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final

from oxbot.simulator.okx import OkxError
from oxbot.simulator.private.rows import Row
from oxbot.simulator.private.wishes import Fields, text

LARGEST_PAGE: Final = 100
LONGEST_NUMBER: Final = 20


def page(rows: Iterable[Row], query: Fields, number: str, time: str = "cTime") -> list[Row]:
    """Rows, newest first, of those that a request asks for; no more are made than it gets.

    Args:
        rows: All rows, newest first.
        query: The request; after and before are bounds of `number`, begin and end of `time`.
        number: The field by which pages are turned.
        time: The field that begin and end bound, ms UTC.
    """
    after, before = _whole(query, "after"), _whole(query, "before")
    begin, end = _whole(query, "begin"), _whole(query, "end")
    limit = min(_whole(query, "limit") or LARGEST_PAGE, LARGEST_PAGE)
    wanted = (
        row
        for row in rows
        if _within(row[number], before, after, open_ends=True)
        and _within(row[time], begin, end, open_ends=False)
    )
    return list(islice(wanted, limit))


def fits(row: Mapping[str, object], query: Fields, *names: str) -> bool:
    """Whether a row has what a request says of some fields; one may name several values."""
    wanted = {name: text(query, name) for name in names}
    return all(not value or str(row[name]) in value.split(",") for name, value in wanted.items())


def _within(value: object, low: int | None, high: int | None, *, open_ends: bool) -> bool:
    number, step = int(str(value)), int(open_ends)
    return (low is None or number >= low + step) and (high is None or number <= high - step)


def _whole(query: Fields, name: str) -> int | None:
    value = text(query, name)
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= LONGEST_NUMBER):
        raise OkxError("51000", f"Parameter {name} error.")
    return int(value)
