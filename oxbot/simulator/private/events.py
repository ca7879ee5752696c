"""What happened: the events of which the log consists.

Field names are OKX's where OKX has one. Amounts are Decimal, and text in the file.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from oxbot.simulator.private.spec import AccountSpec
from oxbot.simulator.private.terms import (
    CancelSource,
    OrderType,
    Part,
    Protection,
    Side,
    State,
    Target,
)


class Event(Part):
    """Something that happened.

    Attributes:
        seq: Its number in the log; counts up from 1 over all accounts.
        ts: The venue's time, ms UTC.
        account: The account's key.
    """

    seq: int
    ts: int
    account: str


class AccountMade(Event):
    """An account was made."""

    event: Literal["account"] = "account"
    spec: AccountSpec


class OrderTaken(Event):
    """An order was taken.

    Attributes:
        ord_id: OKX's number of it.
        cl_ord_id: The client's name of it; "" for none.
        inst_id: The spot pair.
        px: Its limit, USDT; None for a market order.
        sz: Its size in coins; with tgtCcy quote_ccy in USDT.
        tgt_ccy: What the size counts.
        last: The last price when it was taken, USDT.
        protection: What is armed once it has ended with something filled.
        refuse_protection: Whether a fault has that refused.
        hidden_ms: For so much venue time no answer shows it.
        algo_id: The algo order it comes from; "" for none.
        tag: The client's tag.
    """

    event: Literal["order"] = "order"
    ord_id: str
    cl_ord_id: str
    inst_id: str
    side: Side
    ord_type: OrderType
    px: Decimal | None
    sz: Decimal
    tgt_ccy: Target
    last: Decimal
    protection: Protection | None = None
    refuse_protection: bool = False
    hidden_ms: int = 0
    algo_id: str = ""
    tag: str = ""


class Filled(Event):
    """A part of an order was filled.

    Attributes:
        trade_id: The trade's number.
        px: Its price, USDT.
        sz: Its size in coins.
        fee: Negative; in the coin on buys, in USDT on sells.
        fee_ccy: The fee's currency.
        exec_type: M of a maker, T of a taker.
        state: Where the order stands with it.
    """

    event: Literal["fill"] = "fill"
    ord_id: str
    trade_id: str
    px: Decimal
    sz: Decimal
    fee: Decimal
    fee_ccy: str
    exec_type: Literal["M", "T"]
    state: State


class Canceled(Event):
    """An order ended before it was filled."""

    event: Literal["cancel"] = "cancel"
    ord_id: str
    cancel_source: CancelSource


class Refused(Event):
    """A request, or one item of it, was refused and nothing was done.

    Attributes:
        event: `expired` where its expTime had passed.
        request: The endpoint.
        code: OKX's error code.
        cl_ord_id: What the request called the order; "" for nothing.
    """

    event: Literal["refused", "expired"] = "refused"
    request: str
    code: str
    cl_ord_id: str = ""


class AlgoArmed(Event):
    """An algo order waits for its price.

    Attributes:
        algo_id: OKX's number of it.
        sz: In coins; of a buy with tgtCcy quote_ccy in USDT.
        protection: Its triggers, and the client's name.
        ord_id: The entry it was attached to; "" where it stands alone.
    """

    event: Literal["algo"] = "algo"
    algo_id: str
    inst_id: str
    side: Side
    sz: Decimal
    tgt_ccy: Target = Target.BASE
    protection: Protection
    ord_id: str = ""
    hidden_ms: int = 0
    tag: str = ""


class AlgoAmended(Event):
    """An algo order has another size or other triggers."""

    event: Literal["algo_amended"] = "algo_amended"
    algo_id: str
    sz: Decimal
    protection: Protection


class AlgoTriggered(Event):
    """The last price reached a trigger; the order that came of it is named."""

    event: Literal["algo_triggered"] = "algo_triggered"
    algo_id: str
    actual_side: Literal["sl", "tp"]
    ord_id: str


class AlgoFailed(Event):
    """The last price reached a trigger and the order was refused."""

    event: Literal["algo_failed"] = "algo_failed"
    algo_id: str
    actual_side: Literal["sl", "tp"]
    code: str


class AlgoCanceled(Event):
    """An algo order was cancelled."""

    event: Literal["algo_canceled"] = "algo_canceled"
    algo_id: str


class ProtectionRefused(Event):
    """What was attached to an order was refused when the order was filled."""

    event: Literal["protection_refused"] = "protection_refused"
    ord_id: str
    code: str


AnyEvent = Annotated[
    AccountMade
    | OrderTaken
    | Filled
    | Canceled
    | Refused
    | AlgoArmed
    | AlgoAmended
    | AlgoTriggered
    | AlgoFailed
    | AlgoCanceled
    | ProtectionRefused,
    Field(discriminator="event"),
]

_LINE = TypeAdapter(list[AnyEvent])

SECRETS = {"spec": {"secret", "passphrase"}}
"""What is shown to nobody."""


def line_of(events: Sequence[Event]) -> bytes:
    """Events that count together, as one line of the file."""
    return _LINE.dump_json(list(events), by_alias=True) + b"\n"  # type: ignore[arg-type]


def events_of(line: bytes) -> list[Event]:
    """The events of a line.

    Raises:
        ValidationError: It is none.
    """
    return list(_LINE.validate_json(line))


def shown(event: Event) -> dict[str, object]:
    """An event as the log shows it."""
    return event.model_dump(mode="json", by_alias=True, exclude=SECRETS)
