"""Orders and fills as OKX writes them, both ways; amounts are text and become Decimals."""

import sys
from collections.abc import Mapping, Sequence
from typing import Final

from oxbot.adapters.okx.order_errors import unknown
from oxbot.adapters.okx.parse import inst_id_of
from oxbot.domain.errors import InputError
from oxbot.domain.market import Instrument
from oxbot.domain.money import CurrencyAmount, Price, Quantity, decimal_from, plain
from oxbot.domain.orders import Fill, Order, Side
from oxbot.domain.resting import attached_id

ENDED: Final = frozenset({"filled", "canceled", "mmp_canceled"})
"""States in which nothing more can be traded."""

AT_MARKET: Final = "-1"
"""The price of an order that takes the market once it is triggered."""

Row = Mapping[str, object]


def order_body(order: Order, instrument: Instrument) -> dict[str, object]:
    """Write an order as OKX takes it.

    Entries are limits, immediate or cancel, with stop and target attached; the stop lies below
    the limit, the worst price at which the entry can be filled, so it is never too far away.
    Exits take the market. Sizes are coins, also of a market order (`tgtCcy`).
    """
    body: dict[str, object] = {
        "instId": inst_id_of(order.symbol),
        "tdMode": "cash",
        "clOrdId": order.id,
        "side": str(order.side),
        "sz": plain(order.quantity),
    }
    if order.limit_price is None:
        return body | {"ordType": "market", "tgtCcy": "base_ccy"}
    body |= {"ordType": "ioc", "px": plain(order.limit_price)}
    return body | ({} if order.purpose.is_exit else _attached(order, instrument))


def _attached(order: Order, instrument: Instrument) -> dict[str, object]:
    if order.limit_price is None or order.stop is None or order.target is None:
        raise ValueError(f"an entry is bounded and protected: {order}")
    stop = max(instrument.round_price_down(order.limit_price * (1 - order.stop)), instrument.tick)
    target = instrument.round_price_up(order.limit_price * (1 + order.target))
    guard = {
        "attachAlgoClOrdId": attached_id(order.id),
        "slTriggerPx": plain(stop),
        "slOrdPx": AT_MARKET,
        "tpTriggerPx": plain(target),
        "tpOrdPx": AT_MARKET,
    }
    return {"attachAlgoOrds": [guard]}


def must_be(order: Order, row: Row) -> None:
    """Make sure that a row is of this order, since an id can be used again later.

    Raises:
        OutcomeUnknown: It is of another; a person has to look.
    """
    expected = {
        "instId": inst_id_of(order.symbol),
        "clOrdId": order.id,
        "side": str(order.side),
    }
    wrong = [name for name, value in expected.items() if row.get(name) != value]
    if amount(row, "sz") != order.quantity.number:
        wrong.append("sz")
    if wrong:
        raise unknown(f"the order that OKX has under its id differs in {', '.join(wrong)}")


def created_ms(row: Row) -> int:
    """Read when an order was created (venue ms); one that does not say it may be new."""
    return time_of(row, "cTime")


def fills_of(order: Order, rows: Sequence[object]) -> list[Fill]:
    """Read the fills of an order, oldest first.

    Raises:
        OutcomeUnknown: One cannot be read, or is of another order.
    """
    read = [fill_of(order.id, order.symbol, _of(order, row)) for row in rows]
    return sorted(read, key=lambda fill: (fill.at_ms, fill.trade_id))


def _of(order: Order, row: object) -> Row:
    if not isinstance(row, dict) or row.get("clOrdId") != order.id:
        raise unknown("a fill is not of the order")
    return row


def fill_of(order_id: str, symbol: str, row: Row) -> Fill:
    """Read a fill: OKX's fee is negative where it is paid, and `ts` is when it was traded.

    Args:
        order_id: Ours, of what it fills.
        symbol: The pair.
        row: OKX's.

    Raises:
        OutcomeUnknown: It cannot be read, or is of another pair.
    """
    if row.get("instId") != inst_id_of(symbol):
        raise unknown(f"a fill is of {row.get('instId')!r}, not of {symbol}")
    fee = -amount(row, "fee")
    if fee < 0:
        raise unknown("OKX paid a fee instead of taking one")
    return Fill(
        trade_id=text(row, "tradeId"),
        order_id=order_id,
        symbol=symbol,
        side=Side(text(row, "side")),
        quantity=Quantity(amount(row, "fillSz")),
        price=Price(amount(row, "fillPx")),
        fee=CurrencyAmount(fee),
        fee_currency=text(row, "feeCcy"),
        at_ms=int(text(row, "ts")),
    )


def amount(row: Row, name: str) -> CurrencyAmount:
    """Read a number that OKX writes as text.

    Raises:
        OutcomeUnknown: It is none.
    """
    try:
        return decimal_from(text(row, name), name)
    except InputError as error:
        raise unknown(str(error).rstrip(".")) from error


def text(row: Row, name: str) -> str:
    """Read a text that must be there.

    Raises:
        OutcomeUnknown: It is not.
    """
    value = row.get(name)
    if not isinstance(value, str) or not value or not value.isascii():
        raise unknown(f"{name} is {value!r} where OKX sends a text")
    return value


def time_of(row: Row, name: str) -> int:
    """Read a time (venue ms); where there is none, it may be now or later."""
    told = str(row.get(name, ""))
    return int(told) if told.isdecimal() else sys.maxsize
