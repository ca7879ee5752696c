"""Orders: ids derived from what they are for, and states of which unknown is one."""

import base64
import hashlib
import re
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from oxbot.domain.market import QUOTE_CURRENCY, ClockReading, Positive, Symbol, base_of
from oxbot.domain.money import (
    CurrencyAmount,
    Notional,
    PositivePrice,
    PositiveQuantity,
    Quantity,
    to_scale,
)
from oxbot.domain.values import Value

FENCE_MS: Final = 10_000
"""Milliseconds that a request has to arrive at the exchange."""


class Side(StrEnum):
    """Which way."""

    BUY = "buy"
    SELL = "sell"


class Purpose(StrEnum):
    """What an order is for; all but `entry` are exits.

    `write_off` is no order's: it ends a position whose coins are gone from the account.
    """

    ENTRY = "entry"
    STOP = "stop"
    TARGET = "target"
    TRAIL = "trail"
    HOLD = "hold"
    DECISION = "decision"
    FLATTEN = "flatten"
    WRITE_OFF = "write_off"

    @property
    def is_exit(self) -> bool:
        """Whether the order reduces a position."""
        return self is not Purpose.ENTRY


ORDERED: Final = tuple(purpose for purpose in Purpose if purpose is not Purpose.WRITE_OFF)
"""The purposes that an order can have."""


OrderId = Annotated[str, Field(pattern=r"^[a-z0-9]{1,64}$")]
"""An order's id of ours, or a resting stop's, as a person names it."""

OUR_ID: Final = re.compile(r"b[a-z2-7]{31}")


def may_be_ours(name: object) -> bool:
    """Whether an order's id at the exchange looks like one of ours."""
    return isinstance(name, str) and OUR_ID.fullmatch(name) is not None


class OrderState(StrEnum):
    """Where an order is. Only an intended order may be sent, and only once per claim.

    One that is sent may be at the exchange; the exchange has said that it has one that is open.
    """

    INTENDED = "intended"
    SENT = "sent"
    OPEN = "open"
    PARTLY_FILLED = "partly_filled"
    UNKNOWN = "unknown"
    FILLED = "filled"
    REFUSED = "refused"
    CANCELLED = "cancelled"

    @property
    def may_trade(self) -> bool:
        """Whether the exchange has the order, or may have it."""
        return self in (OrderState.SENT, OrderState.OPEN)

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to the order any more."""
        return self in (OrderState.FILLED, OrderState.REFUSED, OrderState.CANCELLED)


class Order(Value):
    """An order as written down before it is sent.

    Quantity in coins; `limit_price` in USDT, absent for exits that take the market;
    `expires_ms` in venue time, absent for exits, which are retried until done; `stop` and
    `target` are what the position will be protected by, as fractions of the average fill, and
    `trail`, if any, as a fraction of the best price since then; `epoch` is the bot's control
    epoch that an entry needs unchanged when it is sent. `fence_ms` (venue time) is until when at
    the latest the exchange takes the request that its claim allowed; None where it was not claimed.
    `resting` is the price in USDT at which
    an exit that rested on paper was filled while nobody watched, at `crossed_ms` of venue time.
    """

    id: str
    bot_id: str
    incarnation: int
    cycle: int
    symbol: Symbol
    side: Side
    purpose: Purpose
    quantity: PositiveQuantity
    limit_price: PositivePrice | None = None
    expires_ms: int | None = None
    fence_ms: int | None = None
    stop: Positive | None = None
    target: Positive | None = None
    trail: Positive | None = None
    resting: PositivePrice | None = None
    crossed_ms: int | None = None
    epoch: int
    state: OrderState = OrderState.INTENDED
    reason: str = ""


def fence_of(now: ClockReading) -> int:
    """Give until when (venue ms) a request may be taken that is sent now.

    Ten seconds are more than a request takes that arrives at all, and little to wait for one
    that may not have. A claim is known by its fence, so that it is the claim's own.
    """
    return now.venue_ms + now.scaled_ms(FENCE_MS)


class Fill(Value):
    """One execution: quantity in coins, price in USDT, fee in `fee_currency`.

    `trade_id` is the venue's and unique per venue; `at_ms` is venue time.
    """

    trade_id: str
    order_id: str
    symbol: Symbol
    side: Side
    quantity: PositiveQuantity
    price: PositivePrice
    fee: Annotated[CurrencyAmount, Field(ge=0)]
    fee_currency: str
    at_ms: int

    @property
    def notional(self) -> Notional:
        """What was traded, in USDT, at the money scale."""
        return to_scale(self.price * self.quantity)

    @property
    def fee_in_coin(self) -> Quantity:
        """What of the fee was taken in the coin."""
        return Quantity(self.fee if self.fee_currency == base_of(self.symbol) else 0)

    @property
    def fee_in_cash(self) -> Notional:
        """What of the fee was taken in USDT."""
        return Notional(self.fee if self.fee_currency == QUOTE_CURRENCY else 0)

    @property
    def fee_value(self) -> Notional:
        """The whole fee in USDT; what was taken in the coin counts at the fill's price."""
        return self.fee_in_cash + to_scale(self.price * self.fee_in_coin)

    @property
    def coins(self) -> Quantity:
        """By how many coins it changes what is held: fewer with a sell."""
        return (self.quantity if self.side is Side.BUY else -self.quantity) - self.fee_in_coin

    @property
    def cash(self) -> Notional:
        """By how much it changes cash, fee included: less with a buy."""
        return (-self.notional if self.side is Side.BUY else self.notional) - self.fee_in_cash

    @property
    def value(self) -> Notional:
        """What its coins are worth at its price; negative where they left."""
        return -self.cash - self.fee_value


class OrderKey(Value):
    """What an order is for; the same purpose always gives the same id.

    `cause` is the cycle (`c17`) or the position and its trigger; `attempt` counts the orders
    for one cause.
    """

    installation: str
    bot_id: str
    incarnation: int
    cause: str
    symbol: Symbol
    purpose: Purpose
    attempt: int = 1

    @property
    def order_id(self) -> str:
        """The id: 32 lower-case letters and digits, as OKX accepts for clOrdId."""
        parts = (
            self.installation,
            self.bot_id,
            str(self.incarnation),
            self.cause,
            self.symbol,
            self.purpose.value,
            str(self.attempt),
        )
        digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
        return "b" + base64.b32encode(digest[:20]).decode().lower()[:31]
