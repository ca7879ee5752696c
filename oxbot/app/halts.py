"""Where a venue that stands still halts on its way, so that nothing crosses a guard unseen."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from oxbot.domain.guards import Guard
from oxbot.domain.market import Symbol
from oxbot.domain.money import PositivePrice
from oxbot.domain.values import Value


class HaltKind(StrEnum):
    """What halts it, in the simulator's words."""

    BID_AT_OR_BELOW = "bid_at_or_below"
    BID_AT_OR_ABOVE = "bid_at_or_above"
    BID_TRAILS = "bid_trails"


class Halt(Value):
    """A price that halts the venue: USDT, of a trail the fraction below the best bid.

    A trail's best bid is `best` (USDT), or the highest since `since_ms` (venue ms).
    """

    symbol: Symbol
    kind: HaltKind
    number: Decimal
    best: PositivePrice | None = None
    since_ms: int | None = None


class BestBid(Value):
    """The highest bid (USDT) since a venue time (ms)."""

    symbol: Symbol
    since_ms: int
    best: PositivePrice


class Reached(Value):
    """Where the venue stands (venue ms), whether a price halted it, and what trails have seen."""

    venue_ms: int
    halted: bool = False
    bests: tuple[BestBid, ...] = ()


class SteppedVenue(Protocol):
    """A venue whose time only we move."""

    async def advance_to(
        self, to_ms: int, halts: Sequence[Halt] = (), examined_ms: int = 0
    ) -> Reached:
        """Go forward, never back; it can be asked again.

        Args:
            to_ms: Where to, in venue ms.
            halts: It goes no further than to the first ms in which one of these becomes true.
            examined_ms: What is true already halts it at once, except at this venue time.
        """
        ...


def halts_of(guards: Iterable[Guard]) -> tuple[Halt, ...]:
    """Give the prices at which guards are crossed, each once."""
    return tuple(dict.fromkeys(halt for guard in guards for halt in _halts_of(guard)))


def _halts_of(guard: Guard) -> Iterator[Halt]:
    yield Halt(symbol=guard.symbol, kind=HaltKind.BID_AT_OR_BELOW, number=guard.stop_price.number)
    yield Halt(symbol=guard.symbol, kind=HaltKind.BID_AT_OR_ABOVE, number=guard.target_price.number)
    if guard.trail is not None and guard.best is not None:
        yield Halt(
            symbol=guard.symbol,
            kind=HaltKind.BID_TRAILS,
            number=guard.trail,
            best=guard.best,
            since_ms=guard.opened_ms,
        )
