"""What can become of an order: which state may follow which, and how its fills end it.

An order is sent by whoever moves it from intended to sent, so that two senders cannot be. Only
one that certainly never reached the venue goes back. Nothing that is said moves an order out of
a final state; an execution does, which became known late: it is a fact.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from oxbot.domain.errors import Conflict, InputError, LedgerBroken
from oxbot.domain.money import Quantity
from oxbot.domain.orders import Fill, Order, OrderState

FOLLOWS: Final[Mapping[OrderState, frozenset[OrderState]]] = {
    OrderState.INTENDED: frozenset(
        {
            OrderState.SENT,
            OrderState.OPEN,
            OrderState.FILLED,
            OrderState.REFUSED,
            OrderState.CANCELLED,
        }
    ),
    OrderState.SENT: frozenset(
        {
            OrderState.INTENDED,
            OrderState.UNKNOWN,
            OrderState.OPEN,
            OrderState.PARTLY_FILLED,
            OrderState.FILLED,
            OrderState.REFUSED,
            OrderState.CANCELLED,
        }
    ),
    OrderState.UNKNOWN: frozenset(
        {
            OrderState.INTENDED,
            OrderState.OPEN,
            OrderState.PARTLY_FILLED,
            OrderState.FILLED,
            OrderState.REFUSED,
            OrderState.CANCELLED,
        }
    ),
    OrderState.OPEN: frozenset(
        {
            OrderState.UNKNOWN,
            OrderState.PARTLY_FILLED,
            OrderState.FILLED,
            OrderState.REFUSED,
            OrderState.CANCELLED,
        }
    ),
    OrderState.PARTLY_FILLED: frozenset({OrderState.UNKNOWN, OrderState.FILLED}),
    OrderState.REFUSED: frozenset({OrderState.FILLED}),
    OrderState.CANCELLED: frozenset({OrderState.FILLED}),
    OrderState.FILLED: frozenset(),
}
"""The states that each state may become."""

LATE: Final = "traded after all, though it was"

WITHOUT_FILL: Final = frozenset({OrderState.REFUSED, OrderState.CANCELLED})
"""How an order ends that traded nothing."""

PARTLY: Final = "partly filled, rest cancelled"


def sources(state: OrderState) -> tuple[OrderState, ...]:
    """Give the states that may become this one."""
    return tuple(source for source, following in FOLLOWS.items() if state in following)


def moved(order: Order, state: OrderState, reason: str | None = None) -> Order:
    """Move an order on, with a reason if there is a new one.

    Raises:
        Conflict: There is no such way.
    """
    if state not in FOLLOWS[order.state]:
        raise Conflict(f"Order {order.id} is {order.state}; it cannot become {state}.")
    told = order.reason if reason is None else reason
    return order.model_copy(update={"state": state, "reason": told})


def released(order: Order) -> Order:
    """Take back an order that certainly never reached the venue; one not sent stays as it is.

    Raises:
        Conflict: It may have reached the venue, or is over.
    """
    return order if order.state is OrderState.INTENDED else moved(order, OrderState.INTENDED)


def finished(order: Order, state: OrderState, reason: str) -> Order:
    """End an order without a fill; one that is final stays as it is.

    Raises:
        InputError: The state is not one that an order without a fill can end in.
        Conflict: Something of it is filled.
    """
    if state not in WITHOUT_FILL:
        raise InputError(f"An order without a fill ends refused or cancelled, not {state}.")
    return order if order.state.is_final else moved(order, state, reason)


def settled(order: Order, fills: Sequence[Fill]) -> Order:
    """End an order by all that it will ever trade: filled if there is anything, else cancelled.

    Raises:
        LedgerBroken: A fill is not of this order, or more is filled than was ordered.
    """
    filled = filled_of(order, fills)
    if not filled:
        return finished(order, OrderState.CANCELLED, "nothing was filled")
    reason = _told(order, whole=filled == order.quantity)
    if order.state is OrderState.FILLED:
        return order.model_copy(update={"reason": reason})
    return moved(order, OrderState.FILLED, reason)


def _told(order: Order, *, whole: bool) -> str:
    """Keep why the order was made, or had ended, and say where it could not be filled whole."""
    made_for = order.reason.removesuffix(PARTLY).removesuffix("; ")
    if order.state in WITHOUT_FILL:
        made_for = f"{LATE} {order.state}: {made_for}".removesuffix(": ")
    return made_for if whole else "; ".join(part for part in (made_for, PARTLY) if part)


def filled_of(order: Order, fills: Sequence[Fill]) -> Quantity:
    """Give how much of an order these fills have filled.

    Raises:
        LedgerBroken: A fill is not of this order, or more is filled than was ordered.
    """
    for fill in fills:
        if (fill.order_id, fill.symbol, fill.side) != (order.id, order.symbol, order.side):
            raise LedgerBroken(f"Fill {fill.trade_id} is not of order {order.id}.")
    filled = sum((fill.quantity for fill in fills), Quantity(0))
    if filled > order.quantity:
        raise LedgerBroken(
            f"Order {order.id} was for {order.quantity} {order.symbol}, but {filled} are filled."
        )
    return filled
