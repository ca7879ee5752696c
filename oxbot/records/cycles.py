"""Cycles: their numbers, what they saw, and how they are judged."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from oxbot.domain.account import Account
from oxbot.domain.market import ClockReading, Quote
from oxbot.domain.money import Notional
from oxbot.domain.orders import Order
from oxbot.domain.risk import Context, Verdict
from oxbot.domain.values import Value


class RunReservation(Value):
    """Cycle numbers `first_cycle` to `first_cycle + cycles - 1`, and the bot's incarnation.

    `last_due_ms` is the venue time at which the bot's last recorded cycle was due.
    """

    incarnation: int
    first_cycle: int
    cycles: int
    last_due_ms: int | None


class Judgement(NamedTuple):
    """What the rules said in one cycle, the orders that follow, and what all of it rests on."""

    verdicts: Sequence[Verdict]
    orders: Sequence[Order]
    context: Context | None = None


Judge = Callable[[Account], Judgement]
"""Judges a cycle, given what the account's other bots have at that moment."""


class CycleStart(Value):
    """What a cycle saw: its snapshot and the quotes that were current then."""

    bot_id: str
    incarnation: int
    cycle: int
    due_ms: int
    clock: ClockReading
    snapshot_id: str
    quotes: dict[str, Quote]


class CycleRow(Value):
    """A cycle as listed; equity in USDT, `due_ms` in venue ms.

    `recorded_ms` is the wall time at which its end was written, None while it is under way.
    """

    cycle: int
    incarnation: int
    due_ms: int
    state: str
    skipped: str | None
    decision: str
    orders: int
    equity: Notional | None
    recorded_ms: int | None
