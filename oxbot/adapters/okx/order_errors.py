"""What a failed order means. Only a definite refusal is one; all else is an unknown outcome.

An order whose answer was lost, cut short or not understood may have been taken. Whoever sent
it looks it up; nothing here is ever a reason to send it again. What comes of a failure::

    VenueRefused        OKX said no, with a code of its own: it did not and will not trade
    RateLimited         OKX counted the request and took nothing: certainly not sent
    VenueUnavailable    OKX refused the request's time: certainly not sent
    OutcomeUnknown      everything else
"""

from typing import Final

import ccxt.async_support as ccxt

from oxbot.adapters.okx.errors import (
    CLOCK_OFF,
    RATE_LIMITS,
    RATE_WINDOW_S,
    AskedToWait,
    code_of,
    row_error,
    said_by,
)
from oxbot.domain.errors import (
    NotShown,
    OutcomeUnknown,
    OxbotError,
    RateLimited,
    VenueRefused,
    VenueUnavailable,
)

REFUSALS: Final = (
    ccxt.AuthenticationError,
    ccxt.BadRequest,
    ccxt.InsufficientFunds,
    ccxt.InvalidOrder,
    ccxt.OperationRejected,
)
"""Classes that say no where OKX's code stands behind them; InvalidOrder has exceptions."""

NEVER_SENT: Final = (ccxt.ArgumentsRequired, ccxt.BadSymbol, ccxt.NotSupported)
"""Classes that ccxt raises by itself, before anything is sent."""

ALREADY_THERE: Final = frozenset({"51011", "51016"})
"""The order id is taken: this very order may have arrived before."""


def order_failure(error: Exception) -> OxbotError:
    """Turn what ccxt raised while placing an order into the project's error."""
    code, said = code_of(error), said_by(error)
    if code in RATE_LIMITS:
        wait_s = error.wait_s if isinstance(error, AskedToWait) else RATE_WINDOW_S
        return RateLimited(f"OKX did not take the order: it was asked too often ({said}).", wait_s)
    if code == CLOCK_OFF:
        return VenueUnavailable(
            f"OKX did not take the order: its time was refused ({said}). This machine's clock is "
            "off; set it by NTP."
        )
    if _is_refused(error, code):
        return VenueRefused(f"OKX refused the order ({said}). Nothing was traded.")
    return unknown(said)


def order_id_of(answer: object) -> str:
    """Take OKX's id of one placed order out of its acknowledgement: the raw answer.

    Raises:
        OutcomeUnknown: There is no id: a page under 200, no data, a row of nulls; or the row
            carries an error under an envelope that says all is well. ccxt raises nothing then.
    """
    rows = answer.get("data") if isinstance(answer, dict) else None
    contradiction = row_error(rows)
    if contradiction:
        raise unknown(contradiction)
    row = rows[0] if isinstance(rows, list) and len(rows) == 1 else None
    order_id = row.get("ordId") if isinstance(row, dict) else None
    if not isinstance(order_id, str) or not order_id:
        raise unknown("the answer names no order")
    return order_id


END_IT: Final = (
    "Where a person has seen at OKX that it has traded nothing, `oxbot bots reconcile --over` "
    "ends it."
)


def unknown(said: str) -> OutcomeUnknown:
    """Give the error for an order of which nobody knows whether it was taken."""
    return OutcomeUnknown(
        f"OKX may or may not have taken the order ({said}). It is looked up, not sent again."
    )


def not_shown(said: str) -> NotShown:
    """Give the error for an order that may have traded, and that OKX shows nowhere."""
    return NotShown(f"{unknown(said)} {END_IT}")


def forgotten(order_id: str) -> NotShown:
    """Give the error for an order that is older than what OKX tells of."""
    return NotShown(
        f"OKX tells of orders for three months, and the order {order_id} was sent before: whether "
        "it has traded cannot be found out from here any more, and it is not sent again. Download "
        "the account's order history from OKX's website and look for this id: what it traded there "
        f"is on no bot's books. {END_IT}"
    )


def _is_refused(error: Exception, code: str | None) -> bool:
    """Whether OKX itself said no, or ccxt before anything was sent."""
    if code is None:
        return isinstance(error, NEVER_SENT)
    taken = isinstance(error, ccxt.OrderNotFound | ccxt.DuplicateOrderId) or code in ALREADY_THERE
    return isinstance(error, REFUSALS) and not taken
