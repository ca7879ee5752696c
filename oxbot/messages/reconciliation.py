"""A live bot's record held against its account."""

from pydantic import BaseModel, ConfigDict, Field

from oxbot.domain.losses import Losses
from oxbot.domain.money import CurrencyAmount
from oxbot.domain.orders import OrderId
from oxbot.domain.values import Storable
from oxbot.messages.base import Message
from oxbot.messages.cycles import OrderOutcome


class Reconcile(Message):
    """Bring a live bot's record and the exchange together; the numbers are for the record.

    `leave` are coins that somebody else is at.
    """

    bot_id: str
    incarnation: int
    cycle: int
    epoch: int
    leave: tuple[str, ...] = ()


class Reconciliation(Message):
    """What a reconciliation has found.

    `booked` are orders that had traded more than was on record, `exits` what stops have become or
    had to be sold, `proven` the coins whose stop was seen at the exchange, `unknown` what nobody
    can say yet, `stuck` what cannot be traded, has neither stop nor sale (`unsold`) or is unfit,
    `broken` what has been traded and the books do not take, `differs` where the account has less
    than the bots of it. Entries wait while there is anything in the last five.

    `losses` are amounts by currency that are missing and could be written off for this bot,
    `written_off` those that were; `said_over` are the ids that a person's word has ended.
    """

    booked: tuple[OrderOutcome, ...] = ()
    exits: tuple[OrderOutcome, ...] = ()
    proven: tuple[str, ...] = ()
    ghosts: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    unsold: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    losses: dict[str, CurrencyAmount] = Field(default_factory=dict)
    written_off: dict[str, CurrencyAmount] = Field(default_factory=dict)
    said_over: tuple[str, ...] = ()

    @property
    def blocks(self) -> str:
        """Say why nothing may be entered; empty where everything agrees."""
        return "; ".join((*self.broken, *self.differs, *self.unknown, *self.stuck))

    @property
    def is_to_be_looked_at_again(self) -> bool:
        """Whether another look, soon, may find more, or sell what has no stop."""
        return bool(self.unknown or self.unsold)


class WriteOffRequest(BaseModel):
    """What a person has confirmed to be gone from the account, by currency.

    `id` is the wish's own: however often it comes, it is fulfilled once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    id: str = Field(min_length=1, max_length=64)
    by: Storable = "temporal"
    reason: Storable = ""
    losses: Losses


class WriteOffMissing(Message):
    """Take what is gone from the account off a live bot's books, and prove what is left."""

    reconcile: Reconcile
    wish: WriteOffRequest


class SayOverRequest(BaseModel):
    """A person's word: this order or stop, which the exchange shows nowhere, is over.

    It has traded nothing beyond what is on record. `order_id` is an order's, or a resting stop's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    order_id: OrderId
    by: Storable = "temporal"
    reason: Storable = ""


class SayOver(Message):
    """End what a person says to be over, and prove what is left."""

    reconcile: Reconcile
    wish: SayOverRequest
