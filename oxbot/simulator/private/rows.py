"""OKX's rows about accounts, orders and fills; every number is a string."""

from decimal import Decimal
from typing import Final

from oxbot.simulator.instruments import SPOT, plain
from oxbot.simulator.private.books import USDT, ZERO, Books, Order
from oxbot.simulator.private.events import (
    Filled,
)
from oxbot.simulator.private.ledger import ATTACHED, ORDERS
from oxbot.simulator.private.terms import (
    Exit,
    OrderType,
    Protection,
    Side,
)
from oxbot.simulator.private.wishes import AT_MARKET

Row = dict[str, object]
"""OKX's rows of orders hold lists and objects, too."""

BLANK: Final = dict.fromkeys(
    (
        "ccy",
        "posSide",
        "lever",
        "pxUsd",
        "pxVol",
        "pxType",
        "quickMgnType",
        "stpId",
        "slTriggerPx",
        "slTriggerPxType",
        "slOrdPx",
        "tpTriggerPx",
        "tpTriggerPxType",
        "tpOrdPx",
    ),
    "",
)

FROM_TRIGGER: Final = "7"
"""OKX's source of an order that a stop loss or take profit placed."""

AVERAGE: Final = Decimal(1).scaleb(-10)
"""What an average price is rounded to, USDT: finer than any tick."""


def order_row(order: Order) -> Row:
    """One order, as trade/order shows it."""
    taken, last = order.taken, order.fills[-1] if order.fills else None
    ended = order.canceled
    return {
        **BLANK,
        **fill_fields(last),
        "instType": SPOT,
        "instId": taken.inst_id,
        "ordId": taken.ord_id,
        "clOrdId": taken.cl_ord_id,
        "tag": taken.tag,
        "side": taken.side,
        "ordType": taken.ord_type,
        "tdMode": "cash",
        "px": "" if taken.px is None else plain(taken.px),
        "sz": plain(taken.sz),
        "tgtCcy": taken.tgt_ccy if taken.ord_type is OrderType.MARKET else "",
        "state": order.state,
        "accFillSz": plain(order.filled),
        "avgPx": plain(average(order)) if order.filled else "",
        "fee": plain(order.fee),
        "feeCcy": order.listed.coin if taken.side is Side.BUY else USDT,
        "rebate": "0",
        "rebateCcy": USDT if taken.side is Side.BUY else order.listed.coin,
        "pnl": "0",
        "category": "normal",
        "source": FROM_TRIGGER if taken.algo_id else "",
        "algoId": taken.algo_id,
        "algoClOrdId": "",
        "attachAlgoClOrdId": taken.protection.cl_ord_id if taken.protection else "",
        "attachAlgoOrds": attached_rows(order),
        "linkedAlgoOrd": {"algoId": ""},
        "reduceOnly": "false",
        "isTpLimit": "false",
        "stpMode": "cancel_maker",
        "cancelSource": ended.cancel_source if ended else "",
        "cancelSourceReason": "",
        "cTime": str(taken.ts),
        "uTime": str(order.updated_ms),
    }


def fill_fields(fill: Filled | None) -> Row:
    """What an order's row says of its last fill."""
    if fill is None:
        return {"fillPx": "", "fillSz": "0", "fillTime": "", "tradeId": ""}
    return {
        "fillPx": plain(fill.px),
        "fillSz": plain(fill.sz),
        "fillTime": str(fill.ts),
        "tradeId": fill.trade_id,
    }


def average(order: Order) -> Decimal:
    """The average price of an order that is filled in part at least, USDT."""
    return (order.turnover / order.filled).quantize(AVERAGE)


def attached_rows(order: Order) -> list[Row]:
    """What is attached to an order."""
    taken = order.taken
    if taken.protection is None:
        return []
    return [
        {
            **protection_fields(taken.protection),
            "attachAlgoId": str(int(taken.ord_id) - ORDERS + ATTACHED),
            "attachAlgoClOrdId": taken.protection.cl_ord_id,
            "tpOrdKind": "condition",
            "sz": "",
            "amendPxOnTriggerType": "0",
            "failCode": order.refusal,
            "failReason": "The order was refused." if order.refusal else "",
        }
    ]


def protection_fields(protection: Protection) -> Row:
    """A stop loss and a take profit."""
    return {**_exit_fields("sl", protection.stop), **_exit_fields("tp", protection.target)}


def _exit_fields(which: str, way: Exit | None) -> Row:
    names = (f"{which}TriggerPx", f"{which}OrdPx", f"{which}TriggerPxType")
    if way is None:
        return dict.fromkeys(names, "")
    price = AT_MARKET if way.price is None else plain(way.price)
    return dict(zip(names, (plain(way.trigger), price, "last"), strict=True))


def fill_row(order: Order, fill: Filled) -> Row:
    """One fill, as trade/fills shows it."""
    return {
        "instType": SPOT,
        "instId": order.taken.inst_id,
        "tradeId": fill.trade_id,
        "ordId": fill.ord_id,
        "clOrdId": order.taken.cl_ord_id,
        "billId": str(ORDERS + fill.seq),
        "subType": "1" if order.taken.side is Side.BUY else "2",
        "tag": order.taken.tag,
        "fillPx": plain(fill.px),
        "fillSz": plain(fill.sz),
        "fillIdxPx": plain(fill.px),
        "fillPnl": "0",
        "side": order.taken.side,
        "posSide": "net",
        "execType": fill.exec_type,
        "feeCcy": fill.fee_ccy,
        "fee": plain(fill.fee),
        "ts": str(fill.ts),
        "fillTime": str(fill.ts),
    }


def balance_row(books: Books, prices: dict[str, Decimal], currencies: set[str]) -> Row:
    """The one row of account/balance.

    Args:
        books: The account.
        prices: USDT for one of each coin; a currency without a price counts as nothing.
        currencies: Which ones are wanted; none for all.
    """
    details = [
        _detail(books, currency, prices)
        for currency in sorted(books.balances)
        if not currencies or currency in currencies
    ]
    total = sum((worth(books, currency, prices) for currency in books.balances), ZERO)
    blank = ("adjEq", "borrowFroz", "imr", "mgnRatio", "mmr", "notionalUsd", "ordFroz", "upl")
    return {
        **dict.fromkeys(blank, ""),
        "isoEq": "0",
        "totalEq": plain(total),
        "uTime": str(books.updated_ms),
        "details": details,
    }


def worth(books: Books, currency: str, prices: dict[str, Decimal]) -> Decimal:
    """What an account has of a currency, in USDT."""
    return books.balances[currency] * prices.get(currency, ZERO)


def _detail(books: Books, currency: str, prices: dict[str, Decimal]) -> Row:
    has, held = plain(books.balances[currency]), plain(books.held(currency))
    free = plain(books.available(currency))
    zero = ("isoEq", "liab", "upl", "crossLiab", "isoLiab", "interest", "stgyEq", "spotInUseAmt")
    return {
        **dict.fromkeys(zero, "0"),
        "ccy": currency,
        "eq": has,
        "cashBal": has,
        "availBal": free,
        "availEq": free,
        "frozenBal": held,
        "ordFrozen": held,
        "eqUsd": plain(worth(books, currency, prices)),
        "disEq": plain(worth(books, currency, prices)),
        "uTime": str(books.updated_ms),
    }
