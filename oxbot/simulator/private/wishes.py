"""What clients ask for: orders and cancels out of JSON, as far as that tells.

Whether an order fits instrument and balance is judged elsewhere.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from oxbot.domain.errors import InputError
from oxbot.simulator.private.terms import (
    Exit,
    OrderType,
    Protection,
    Side,
    Target,
)

Fields = Mapping[str, object]
"""One item of a request; all its scalars are text."""

CLIENT_ID: Final = re.compile(r"[A-Za-z0-9]{1,32}")
NUMBER: Final = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?")
AT_MARKET: Final = "-1"
"""The price of an order that comes of a trigger and has no limit."""

NOTHING: Final = "0"
"""The new price that takes a way out away."""


class ItemError(InputError):
    """An item that OKX refuses.

    Args:
        code: OKX's error code.
        message: OKX's message.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def bad(name: str) -> ItemError:
    """What OKX says of a parameter that cannot be."""
    return ItemError("51000", f"Parameter {name} error")


@dataclass(frozen=True, slots=True)
class OrderWish:
    """An order that somebody wants; see `OrderTaken`.

    Attributes:
        ban_amend: Whether it is refused, and not made smaller, where the account cannot pay.
    """

    inst_id: str
    side: Side
    ord_type: OrderType
    px: Decimal | None
    sz: Decimal
    tgt_ccy: Target
    cl_ord_id: str = ""
    protection: Protection | None = None
    algo_id: str = ""
    tag: str = ""
    ban_amend: bool = False


@dataclass(frozen=True, slots=True)
class AlgoWish:
    """An algo order that somebody wants; see `AlgoArmed`."""

    inst_id: str
    side: Side
    sz: Decimal
    protection: Protection
    tgt_ccy: Target = Target.BASE
    tag: str = ""


def order_wish(fields: Fields) -> OrderWish:
    """The order in an item.

    Raises:
        ItemError: 51000 for a parameter that cannot be.
    """
    if text(fields, "tdMode") != "cash":
        raise bad("tdMode")
    side, ord_type = _side(fields), _order_type(fields)
    at_market = ord_type is OrderType.MARKET
    target = _target(fields, side) if at_market else Target.BASE
    protection = _attached(fields.get("attachAlgoOrds"))
    if protection is not None and at_market and side is Side.BUY and target is Target.BASE:
        raise bad("attachAlgoOrds")
    return OrderWish(
        inst_id=text(fields, "instId"),
        side=side,
        ord_type=ord_type,
        px=None if at_market else number(fields, "px"),
        sz=number(fields, "sz"),
        tgt_ccy=target,
        cl_ord_id=client_id(fields, "clOrdId"),
        protection=protection,
        tag=text(fields, "tag"),
        ban_amend=fields.get("banAmend") in (True, "true"),
    )


def algo_wish(fields: Fields) -> AlgoWish:
    """The algo order in a request.

    Raises:
        ItemError: 51000 for a parameter that cannot be.
    """
    if text(fields, "tdMode") != "cash":
        raise bad("tdMode")
    kind = text(fields, "ordType")
    protection = _protection(fields, "algoClOrdId")
    both = protection.stop is not None and protection.target is not None
    if kind not in ("conditional", "oco") or (kind == "oco") != both:
        raise bad("ordType")
    side = _side(fields)
    target = _target(fields, side) if side is Side.BUY and fields.get("tgtCcy") else Target.BASE
    return AlgoWish(
        inst_id=text(fields, "instId"),
        side=side,
        sz=number(fields, "sz"),
        protection=protection,
        tgt_ccy=target,
        tag=text(fields, "tag"),
    )


def amended(fields: Fields, sz: Decimal, protection: Protection) -> tuple[Decimal, Protection]:
    """An algo order's size and triggers with what an item changes of them.

    Raises:
        ItemError: 51000 for a parameter that cannot be, or a way out that there was not.
    """
    new_sz = number(fields, "newSz") if text(fields, "newSz") else sz
    stop = _amended_exit(fields, "newSl", protection.stop)
    target = _amended_exit(fields, "newTp", protection.target)
    if stop is None and target is None:
        raise bad("newSlTriggerPx")
    return new_sz, protection.model_copy(update={"stop": stop, "target": target})


def _amended_exit(fields: Fields, which: str, known: Exit | None) -> Exit | None:
    trigger, price = f"{which}TriggerPx", f"{which}OrdPx"
    if not (text(fields, trigger) or text(fields, price)):
        return known
    if known is None:
        raise bad(trigger)
    if NOTHING in (text(fields, trigger), text(fields, price)):
        return None
    new_trigger = number(fields, trigger) if text(fields, trigger) else known.trigger
    if not text(fields, price):
        return Exit(trigger=new_trigger, price=known.price)
    at_market = text(fields, price) == AT_MARKET
    return Exit(trigger=new_trigger, price=None if at_market else number(fields, price))


def text(fields: Fields, name: str) -> str:
    """A field as text; "" where it is not there."""
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def number(fields: Fields, name: str) -> Decimal:
    """A number above zero.

    Raises:
        ItemError: It is none.
    """
    value = text(fields, name)
    if not NUMBER.fullmatch(value) or Decimal(value) <= 0:
        raise bad(name)
    return Decimal(value)


def client_id(fields: Fields, name: str) -> str:
    """A client's name for something; "" for none.

    Raises:
        ItemError: It is not 1 to 32 letters and digits.
    """
    value = text(fields, name)
    if value and not CLIENT_ID.fullmatch(value):
        raise bad(name)
    return value


def _side(fields: Fields) -> Side:
    value = text(fields, "side")
    if value not in tuple(Side):
        raise bad("side")
    return Side(value)


def _order_type(fields: Fields) -> OrderType:
    value = text(fields, "ordType")
    if value not in tuple(OrderType):
        raise bad("ordType")
    return OrderType(value)


def _target(fields: Fields, side: Side) -> Target:
    """What a market order's size counts: unless told, USDT on buys and coins on sells."""
    value = text(fields, "tgtCcy")
    if not value:
        return Target.QUOTE if side is Side.BUY else Target.BASE
    if value not in tuple(Target) or (side is Side.SELL and value == Target.QUOTE):
        raise bad("tgtCcy")
    return Target(value)


def _attached(value: object) -> Protection | None:
    """What is attached to an order: at most one stop loss and one take profit."""
    if value is None or value == []:
        return None
    if not (isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict)):
        raise bad("attachAlgoOrds")
    if text(value[0], "tpOrdKind") == "limit":
        raise ItemError("51094", "You can't place TP limit orders in spot trading.")
    return _protection(value[0], "attachAlgoClOrdId")


def _protection(fields: Fields, name: str) -> Protection:
    stop, target = _exit(fields, "sl"), _exit(fields, "tp")
    if stop is None and target is None:
        raise bad("slTriggerPx")
    return Protection(cl_ord_id=client_id(fields, name), stop=stop, target=target)


def _exit(fields: Fields, which: str) -> Exit | None:
    """One way out, by the last price."""
    trigger, price = f"{which}TriggerPx", f"{which}OrdPx"
    if not (text(fields, trigger) or text(fields, price)):
        return None
    if text(fields, f"{which}TriggerPxType") not in ("", "last"):
        raise bad(f"{which}TriggerPxType")
    at_market = text(fields, price) == AT_MARKET
    return Exit(trigger=number(fields, trigger), price=None if at_market else number(fields, price))
