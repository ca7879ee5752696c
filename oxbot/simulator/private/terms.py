"""OKX's words for orders, and the parts of which events are made."""

from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Side(StrEnum):
    """Which way an order goes."""

    BUY = "buy"
    SELL = "sell"


class OrderType(StrEnum):
    """OKX's ordType of plain orders."""

    MARKET = "market"
    LIMIT = "limit"
    POST_ONLY = "post_only"
    IOC = "ioc"
    FOK = "fok"


class Target(StrEnum):
    """OKX's tgtCcy: what the size of a market order counts."""

    BASE = "base_ccy"
    QUOTE = "quote_ccy"


class State(StrEnum):
    """Where an order or an algo order stands, in OKX's words."""

    LIVE = "live"
    PARTIAL = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EFFECTIVE = "effective"
    FAILED = "order_failed"


class CancelSource(StrEnum):
    """Why an order ended before it was filled, in OKX's numbers."""

    SYSTEM = "0"
    USER = "1"
    FOK = "13"
    IOC = "14"
    POST_ONLY = "31"
    DEPTH = "33"


class Part(BaseModel):
    """A part of an event."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True
    )


class Exit(Part):
    """One of the two ways out of a position.

    Attributes:
        trigger: The last price at which it is taken, USDT.
        price: The order's limit, USDT; None for a market order.
    """

    trigger: Decimal
    price: Decimal | None = None


class Protection(Part):
    """A stop loss, a take profit, or both, of which one cancels the other.

    Attributes:
        cl_ord_id: The client's name of the algo order; "" for none.
        stop: The stop loss.
        target: The take profit.
    """

    cl_ord_id: str = ""
    stop: Exit | None = None
    target: Exit | None = None
