"""What an oracle has against a run."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final

from oxbot.domain.values import Value

DRIFT: Final = "drift_usdt"
"""What money adrift is called where kinds of wrong are named; it is no count, but USDT."""


class Wrong(StrEnum):
    """What must never be; each is counted."""

    DOUBLED = "orders_doubled"
    LOST = "orders_lost"
    NAKED = "positions_without_stop"
    EXIT = "wrong_exits"
    CONTROL = "control_broken"


@dataclass
class Verdict:
    """All that is wrong with one run: sentences, and USDT adrift.

    `bare_ms` is for how long (venue ms) something of it was held without a stop.
    """

    doubts: dict[Wrong, dict[str, None]] = field(default_factory=dict)
    drift: dict[str, Decimal] = field(default_factory=dict)
    bare_ms: int = 0

    def doubt(self, wrong: Wrong, sentence: str) -> None:
        """Hold something against it; the same is held once."""
        self.doubts.setdefault(wrong, {})[sentence] = None

    def adrift(self, what: str, usdt: Decimal) -> None:
        """Hold an amount against it."""
        if usdt:
            self.drift[what] = usdt

    def merge(self, other: "Verdict") -> None:
        """Take over what another one holds against the same run."""
        for wrong, texts in other.doubts.items():
            self.doubts.setdefault(wrong, {}).update(texts)
        self.drift.update(other.drift)
        self.bare_ms = max(self.bare_ms, other.bare_ms)

    def count(self, wrong: Wrong) -> int:
        """Count what is held against it of one kind."""
        return len(self.doubts.get(wrong, {}))

    @property
    def drift_usdt(self) -> Decimal:
        """What is adrift, in USDT, whichever way."""
        return sum((abs(usdt) for usdt in self.drift.values()), Decimal(0))

    @property
    def sentences(self) -> tuple[str, ...]:
        """All of it in words."""
        told = [f"{wrong}: {text}" for wrong, texts in self.doubts.items() for text in texts]
        return (*told, *(f"drift: {what}: {usdt} USDT" for what, usdt in self.drift.items()))


class Asked(Value):
    """What a person asked for and when it was answered: venue and wall ms.

    `in_flight` are the entries that the answer said could still come.
    """

    verb: str
    venue_ms: int
    wall_ms: int
    in_flight: tuple[str, ...] = ()


class Outcome(Value):
    """One run that is over; `way` is the number of the way that it took to its point."""

    number: int
    bot_id: str
    injection: str
    hit: bool
    seconds: float
    counts: dict[str, int]
    drift_usdt: Decimal
    bare_ms: int = 0
    way: int = 0
    doubts: tuple[str, ...] = ()

    @property
    def wrongs(self) -> frozenset[str]:
        """Give the names of all kinds of wrong that it has shown, money adrift included."""
        counted = {name for name, count in self.counts.items() if count}
        return frozenset(counted | ({DRIFT} if self.drift_usdt else set()))


WHOLE: Final = "live:the account as a whole"
"""What the account of all live bots is judged as, once, when they have stopped; it is no run."""


def outcome_of(
    named: tuple[int, str, str], seconds: float, verdict: Verdict, *, hit: bool, way: int = 0
) -> Outcome:
    """Sum a run up: number, bot and injection, how long it took, and what is against it."""
    number, bot_id, injection = named
    return Outcome(
        number=number,
        bot_id=bot_id,
        injection=injection,
        hit=hit,
        seconds=round(seconds, 1),
        counts={wrong.value: verdict.count(wrong) for wrong in Wrong},
        drift_usdt=verdict.drift_usdt,
        bare_ms=verdict.bare_ms,
        way=way,
        doubts=verdict.sentences,
    )
