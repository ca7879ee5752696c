"""What a bot is judged by, and a position as its fills make it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from chaos_matrix.prices import Prices
from chaos_matrix.record import BotRecord, Row, number
from chaos_matrix.verdict import Asked

SCALE: Final = Decimal("1e-12")
"""To which money is rounded."""

ZERO: Final = Decimal(0)


@dataclass(frozen=True)
class Case:
    """What a bot is judged by.

    `late_ms` is for how long (venue ms) a guard may be crossed with nobody selling, `hold_late_ms`
    for how long after the longest hold a position may be there, `bare_ms` for how long a live bot
    may hold what has no stop; `decides` whether it sells by its decisions, and `has_no_stop` one
    position because its exchange takes no stop; `is_over`, that it was stopped and has had the
    time for it.
    """

    record: BotRecord
    asked: Sequence[Asked]
    prices: Prices
    now_ms: int
    late_ms: int
    decides: bool
    has_no_stop: bool = False
    bare_ms: int = 300_000
    hold_late_ms: int = 375_000
    is_over: bool = False


@dataclass
class Held:
    """A position as its fills make it."""

    opened_ms: int
    coins: Decimal
    bought: Decimal
    paid: Decimal
    entry: Row

    @property
    def average(self) -> Decimal:
        return (self.paid / self.bought).quantize(SCALE, ROUND_HALF_EVEN)

    @property
    def stop(self) -> Decimal:
        return (self.average * (1 - number(self.entry["stop"]))).quantize(SCALE, ROUND_HALF_EVEN)

    @property
    def first_stop(self) -> Decimal:
        """Where a live entry's stop lies until it is known what it was filled at."""
        limit = number(self.entry["limit_price"])
        return max(self.stop, limit * (1 - number(self.entry["stop"])))

    @property
    def target(self) -> Decimal:
        return (self.average * (1 + number(self.entry["target"]))).quantize(SCALE, ROUND_HALF_EVEN)
