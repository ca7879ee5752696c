"""Questions about orders: an answer that cannot be used leaves everything unknown."""

from collections.abc import Awaitable, Sequence

from oxbot.adapters.okx.client import UNREADABLE
from oxbot.adapters.okx.errors import code_of, rows_of, said_by
from oxbot.adapters.okx.order_errors import unknown
from oxbot.adapters.okx.private import NOBODY
from oxbot.domain.errors import OutcomeUnknown, OxbotError

Row = dict[str, object]


async def rows_asked(call: Awaitable[object]) -> Sequence[object]:
    """Give the rows of a question that may have none.

    Raises:
        OutcomeUnknown: There is no answer that can be used.
    """
    try:
        answer = await call
    except UNREADABLE as error:
        raise unknown(said_by(error)) from error
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
    except UNREADABLE as error:
        if code_of(error) == NOBODY:
            return None
        raise unknown(said_by(error)) from error
    [row, *others] = must_have_rows(answer, asked)
    if others or not isinstance(row, dict):
        raise unknown(f"OKX answered with something else than {asked}")
    return row


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
