"""Questions about orders: an answer that cannot be used leaves everything unknown.

So does a question that could not be asked, for want of the venue's time to sign it with: whoever
asks may have sent something before.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

from oxbot.adapters.okx.client import UNREADABLE
from oxbot.adapters.okx.errors import code_of, rows_of, said_by
from oxbot.adapters.okx.order_errors import not_shown, unknown
from oxbot.adapters.okx.order_rows import text
from oxbot.adapters.okx.private import NOBODY
from oxbot.domain.errors import OutcomeUnknown, OxbotError, VenueUnavailable

Row = dict[str, object]

UNASKED: Final = (*UNREADABLE, VenueUnavailable)
"""What a question fails with: as ccxt has it, or because nobody knew the venue's time."""

PAGE: Final = 100
"""Rows of a page that is not the last."""

MOST_PAGES: Final = 20

CUT: Final = (
    f"OKX's list has more than {MOST_PAGES * PAGE} rows, and is read no further: a person has to "
    "look there"
)


class _Cut(OutcomeUnknown):
    """A list is longer than anybody reads; what is wanted is not in what was read."""


async def rows_asked(call: Awaitable[object]) -> Sequence[object]:
    """Give the rows of a question that may have none.

    Raises:
        OutcomeUnknown: There is no answer that can be used.
    """
    try:
        answer = await call
    except UNASKED as error:
        raise _unanswered(error) from error
    if isinstance(answer, dict) and answer.get("code") == "0" and answer.get("data") == []:
        return []
    return must_have_rows(answer, "orders")


async def row_asked(call: Awaitable[object], asked: str) -> Row | None:
    """Give the one row of a question; None where OKX says that there is none.

    Raises:
        OutcomeUnknown: There is no answer that can be used.
    """
    try:
        answer = await call
    except UNASKED as error:
        if code_of(error) == NOBODY:
            return None
        raise _unanswered(error) from error
    [row, *others] = must_have_rows(answer, asked)
    if others or not isinstance(row, dict):
        raise unknown(f"OKX answered with something else than {asked}")
    return row


async def pages(
    ask: Callable[..., Awaitable[object]],
    number: str,
    is_last: Callable[[list[Row]], bool] | None = None,
) -> list[Row]:
    """Read all pages of a list, newest first, or those up to the first that `is_last`.

    `number` is the field that pages turn by.

    Raises:
        OutcomeUnknown: A page cannot be had or used, or there is no end of them.
    """
    rows: list[Row] = []
    after: dict[str, str] = {}
    for _ in range(MOST_PAGES):
        page = [_row(found) for found in await rows_asked(ask(**after))]
        rows += page
        if len(page) < PAGE or (is_last and is_last(page)):
            return rows
        after = {"after": text(page[-1], number)}
    raise _Cut(str(unknown(CUT)))


async def first(
    asks: Iterable[Callable[..., Awaitable[object]]],
    number: str,
    is_wanted: Callable[[Row], bool],
    is_older: Callable[[Row], bool],
) -> Row | None:
    """Give the first row that is wanted in these lists, which are asked for one after the other.

    Each is read up to the page that has it, or of which all are older than it could be.

    Raises:
        OutcomeUnknown: A page cannot be had or used.
        NotShown: It is in none of them, of which one has no end.
    """
    is_cut = False

    def found(rows: list[Row]) -> Row | None:
        return next(filter(is_wanted, rows), None)

    def is_last(page: list[Row]) -> bool:
        return found(page) is not None or all(map(is_older, page))

    for ask in asks:
        try:
            row = found(await pages(ask, number, is_last))
        except _Cut:
            is_cut = True
            continue
        if row is not None:
            return row
    if is_cut:
        raise not_shown(CUT)
    return None


def _row(found: object) -> Row:
    if not isinstance(found, dict):
        raise unknown("a row in OKX's list is none")
    return found


def _unanswered(error: Exception) -> OutcomeUnknown:
    return unknown(str(error).rstrip(".") if isinstance(error, OxbotError) else said_by(error))


def must_have_rows(answer: object, asked: str) -> list[object]:
    """Take the rows out of an answer; whatever is wrong with it leaves the outcome unknown.

    Raises:
        OutcomeUnknown: There are none.
    """
    try:
        return rows_of(answer, asked)
    except OutcomeUnknown:
        raise
    except OxbotError as error:
        raise unknown(str(error).rstrip(".")) from error
