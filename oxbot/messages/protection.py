"""Prices that are watched, exits that they set off, and selling everything."""

from pydantic import BaseModel, ConfigDict, Field

from oxbot.domain.feed import FeedStatus
from oxbot.domain.market import Symbol
from oxbot.domain.money import Notional, Price, Quantity
from oxbot.domain.orders import Purpose
from oxbot.domain.values import Storable
from oxbot.messages.base import Message


class Protect(Message):
    """A price that reached a guard, or a hold that is over: the position is to be closed.

    `opened_ms` (venue ms) and `version` say which position, and which state of it; version 0 is
    whichever it is in. `price` in USDT crossed at `crossed_ms` (venue ms), and was there to be
    seen at `seen_wall_ms` (wall ms; 0: not known). `resting` is the price at which a stop that
    rested on paper has filled while nobody watched. `because` is the word of a person who wants
    it closed, for the record.
    """

    symbol: str
    opened_ms: int
    version: int
    purpose: Purpose
    price: Price | None = None
    crossed_ms: int
    seen_wall_ms: int
    resting: Price | None = None
    because: str = ""

    @property
    def key(self) -> tuple[str, int, int]:
        """What makes two of them the same."""
        return self.symbol, self.opened_ms, self.version


class ProtectPosition(Message):
    """Close a position as the bot's own step; the numbers are for the record."""

    bot_id: str
    incarnation: int
    cycle: int
    epoch: int
    protect: Protect


class ProtectReport(Message):
    """What came of a protection: the position is `closed`, still `open`, or the call was `stale`.

    `order_ids` are all orders of the coin that have come to their end; `price` is the average
    of the exit in USDT. `under_way`: it was not done yet when this was said, and goes on.
    """

    symbol: str
    state: str
    order_ids: tuple[str, ...] = ()
    reason: str = ""
    price: Price | None = None
    under_way: bool = False


class ClosePosition(BaseModel):
    """A person wants one position closed, and the bot to go on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: Symbol
    by: Storable = "temporal"
    reason: Storable = ""


class CloseReport(Message):
    """What is left of a position that was to be closed, by the record.

    `done`: nothing of it is held, and no order of its coin is open. `under_way`: it is not done,
    and goes on until it is; else `reason` says why it was not sold. `price` is the average of the
    exit in USDT, `dust` are coins too few to sell.
    """

    symbol: str
    done: bool
    under_way: bool = False
    status: str
    reason: str = ""
    price: Price | None = None
    order_ids: tuple[str, ...] = ()
    dust: Quantity | None = None


class Examine(Message):
    """The driver of a stepped venue: at this moment (venue ms), close what has to be closed."""

    venue: str
    at_ms: int


class ExamineReport(Message):
    """How many guards were set off or holds over, and how many positions were closed for it.

    `trouble` says why some could not be judged, or are not closed. `unfinished`: somebody who
    has to act did not answer, so it is to be asked again before time goes on. Where the venue
    itself gives no prices, or refuses, it is not: that may last.
    """

    crossings: int
    closed: int
    trouble: str = ""
    unfinished: bool = False


class FlattenReport(Message):
    """What is left after everything was to be sold, and the status that holds.

    `dust` are coins too few to sell, `dust_value` what they are worth in USDT where a price is
    known. `done`: no order is open, no position held, and the bot's pause is on record.
    """

    open_orders: int
    positions: int
    dust: dict[str, Quantity] = Field(default_factory=dict)
    done: bool
    status: str
    epoch: int
    dust_value: dict[str, Notional] = Field(default_factory=dict)


class WatchPrices(Message):
    """Watch a venue's prices: all that its bots need, for at most `for_s` seconds."""

    venue: str
    for_s: int


class WatchView(Message):
    """The price watch as its workflow knows it, carried whole from run to run.

    `runs` of the activity so far, with the report of the last; what it reports just now is in
    the heartbeat of the activity under way. `ended` says why it watches no more. The activity
    lasts `span_s`, a run of the workflow `roll_after` of them, or `examine_at_most`
    examinations of a stepped venue: Temporal takes 2,000 updates in a run.
    """

    venue: str
    span_s: int = 3300
    roll_after: int = 24
    examine_at_most: int = 1_000
    runs: int = 0
    last: FeedStatus | None = None
    ended: str = ""
