"""OKX's rows as its private channels push them."""

from decimal import Decimal

from oxbot.simulator.instruments import plain
from oxbot.simulator.private.books import Order
from oxbot.simulator.private.events import Event, Filled
from oxbot.simulator.private.rows import Row, fill_fields, order_row


def pushed_order(order: Order, event: Event, last: Decimal) -> Row:
    """An order as the channel `orders` pushes it after an event.

    Args:
        order: As it stands with the event.
        event: What happened; only of a fill the row says what was filled.
        last: The last price, USDT.
    """
    fill = event if isinstance(event, Filled) else None
    blank = ("amendResult", "amendSource", "reqId", "msg", "fillMarkPx", "fillIdxPx", "fillFwdPx")
    return {
        **order_row(order),
        **fill_fields(fill),
        **dict.fromkeys(blank, ""),
        "code": "0",
        "lastPx": plain(last),
        "notionalUsd": plain(order.taken.sz * (order.taken.px or last)),
        "execType": fill.exec_type if fill else "",
        "fillFee": plain(fill.fee) if fill else "0",
        "fillFeeCcy": fill.fee_ccy if fill else "",
        "fillPnl": "0",
        "fillNotionalUsd": plain(fill.px * fill.sz) if fill else "",
    }
