"""A run of a bot's workflow, and what it begins with."""

from pydantic import Field

from oxbot.domain.bot import BotStatus, RiskLimits
from oxbot.domain.market import ClockReading
from oxbot.domain.money import Notional, Price, Quantity
from oxbot.domain.orders import Purpose
from oxbot.messages.base import Message


class RunSpec(Message):
    """What the workflow must know of its bot; times are the venue's."""

    name: str
    owner: str
    mode: str
    symbols: tuple[str, ...]
    interval_ms: int
    provider: str
    longest_hold_s: int = 13_800
    limits: RiskLimits | None = None


class PositionBrief(Message):
    """A position as the Web UI shows it; prices, value and PnL in USDT.

    `age_ms` is how old the price is that values it (venue time). None: no price is known, the
    position stands at its cost, and its PnL of 0 tells nothing.
    """

    symbol: str
    quantity: Quantity
    average_price: Price
    stop_price: Price
    target_price: Price
    opened_ms: int
    unrealised: Notional
    age_ms: int | None
    version: int = 0


class OpenRun(Message):
    """Ask for a block of cycle numbers. `chain_id` names the life, `run_id` the run."""

    bot_id: str
    chain_id: str
    run_id: str
    cycles: int


class RunGrant(Message):
    """The numbers granted, with what the run needs to begin.

    `last_due_ms` is when the last recorded cycle was due (venue ms), so that a bot that starts
    over can tell how many ticks it lost. `session` names the run of the whole system.
    `unfinished` are orders that were sent, or are to sell, and have not come to their end.
    """

    incarnation: int
    first_cycle: int
    cycles: int
    spec: RunSpec
    clock: ClockReading
    status: BotStatus
    epoch: int
    flatten: bool
    open_positions: int
    last_due_ms: int | None
    session: str | None
    positions: tuple[PositionBrief, ...] = ()
    unfinished: dict[str, Purpose] = Field(default_factory=dict)


class CountHoldings(Message):
    """Ask what a bot holds and has under way."""

    bot_id: str


class Holdings(Message):
    """What a bot has, by the record: counts, and dust in coins.

    `coins` are those with a position or an order under way, with when the position was opened
    (venue ms; 0: there is only an order).
    """

    open_orders: int
    positions: int
    coins: dict[str, int] = Field(default_factory=dict)
    dust: dict[str, Quantity] = Field(default_factory=dict)

    @property
    def is_flat(self) -> bool:
        """Whether nothing is held or under way; dust does not count."""
        return not self.open_orders and not self.positions
