"""A way forward in venue time that halts where a condition becomes true."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from oxbot.domain.errors import InputError
from oxbot.simulator.clock import LONGEST_STEP_MS
from oxbot.simulator.crossing import Crossing
from oxbot.simulator.halts import Condition
from oxbot.simulator.instruments import INSTRUMENTS, plain
from oxbot.simulator.levels import Levels, Trail
from oxbot.simulator.market import Market
from oxbot.simulator.venue_time import iso
from oxbot.simulator.ways import Ways


@dataclass(frozen=True, slots=True)
class Levelled:
    """A condition, and the last price at which it is true, in ticks."""

    condition: Condition
    level: int

    @property
    def symbol(self) -> str:
        """The instId of what is watched."""
        return self.condition.listed.id

    def holds(self, ways: Ways, ms: int) -> bool:
        """Whether it is true at a moment."""
        return self.condition.holds(ways.price(self.symbol, ms), self.level)


class Halting:
    """A way forward, and where it halts.

    Args:
        market: Whose prices.
        conditions: What it halts at.
        examined_ms: At every moment but this one, what is true already halts at once; None:
            only what becomes true halts.
    """

    def __init__(
        self, market: Market, conditions: Sequence[Condition], examined_ms: int | None = None
    ) -> None:
        self._market = market
        self._ways = Ways(market)
        self._conditions = conditions
        self._examined_ms = examined_ms
        self._begin_ms = self._end_ms = 0
        self._halted = False

    def until(self, now_ms: int, target_ms: int) -> int:
        """Where the way from now to a target halts, ms UTC.

        Raises:
            InputError: A condition watches since a time that cannot be.
        """
        self._check(now_ms)
        self._begin_ms = self._end_ms = now_ms
        levelled = self._levelled()
        if self._examined_ms in (None, now_ms) or not any(self._met(levelled)):
            self._end_ms = self._first_ms(levelled, target_ms)
        else:
            self._halted = True
        return self._end_ms

    def as_json(self) -> dict[str, object]:
        """What an answer says of it: what it halted at, and what trails have seen."""
        met = self._met(self._levelled()) if self._halted else ()
        return {
            "halted": self._halted,
            "crossed": [self._told(each.condition) for each in met],
            "bests": self._bests(),
        }

    def _check(self, now_ms: int) -> None:
        earliest_ms = max(self._market.source.first_ms, now_ms - LONGEST_STEP_MS)
        for each in self._conditions:
            if each.since_ms is not None and not earliest_ms <= each.since_ms <= now_ms:
                raise InputError(
                    f"since_ms {each.since_ms} is not between {earliest_ms} ({iso(earliest_ms)}) "
                    f"and now, {now_ms} ({iso(now_ms)})."
                )

    def _first_ms(self, levelled: Sequence[Levelled], target_ms: int) -> int:
        """The first ms in which one becomes true, up to a target."""
        first_ms = target_ms
        for symbol, kinds in _together(levelled).items():
            found = Crossing(self._ways, symbol, kinds).first(self._begin_ms, first_ms)
            if found is not None:
                first_ms, self._halted = found, True
        return first_ms

    def _met(self, levelled: Sequence[Levelled]) -> Iterator[Levelled]:
        """What is true at the end of the way; if it moved, what became so there."""
        moved = self._end_ms > self._begin_ms
        for each in levelled:
            if each.holds(self._ways, self._end_ms) and not (
                moved and each.holds(self._ways, self._end_ms - 1)
            ):
                yield each

    def _levelled(self) -> list[Levelled]:
        """The conditions with their levels at the end of the way.

        Where a trail has just become true its level is that of the ms before: only a price
        that rises moves it.
        """
        highest, spread = self._highest(), self._market.shape.spread_ticks
        return [
            Levelled(each, each.level(spread, highest.get(self._watched(each), 0)))
            for each in self._conditions
        ]

    def _highest(self) -> dict[tuple[str, int], int]:
        """The highest bids since trails are watched, in ticks by symbol and beginning."""
        moments: dict[str, set[int]] = defaultdict(set)
        for symbol, since_ms in (self._watched(each) for each in self._conditions if each.trail):
            moments[symbol].add(since_ms)
        return {
            (symbol, since_ms): ticks
            for symbol, begins in moments.items()
            for since_ms, ticks in self._ways.highest_since(symbol, begins, self._end_ms).items()
        }

    def _watched(self, each: Condition) -> tuple[str, int]:
        """What a condition watches, and since when."""
        return each.listed.id, self._begin_ms if each.since_ms is None else each.since_ms

    def _told(self, each: Condition) -> dict[str, str | int]:
        ticks = self._ways.price(each.listed.id, self._end_ms)
        if each.kind.of_ask:
            ask = each.listed.price(ticks + self._market.shape.spread_ticks)
            return {**each.as_json(), "ask": plain(ask)}
        return {**each.as_json(), "bid": plain(each.listed.price(ticks))}

    def _bests(self) -> list[dict[str, str | int]]:
        return [
            {
                "instId": symbol,
                "since_ms": since_ms,
                "best": plain(INSTRUMENTS[symbol].price(ticks)),
            }
            for (symbol, since_ms), ticks in sorted(self._highest().items())
        ]


def _together(levelled: Sequence[Levelled]) -> dict[str, list[Levels]]:
    """All levels of each symbol, in one those that the price meets in the same way."""
    ticks: dict[tuple[str, int, Trail | None], list[int]] = defaultdict(list)
    for each in levelled:
        ticks[each.symbol, each.condition.kind.way, each.condition.trail].append(each.level)
    kinds: dict[str, list[Levels]] = defaultdict(list)
    for (symbol, way, trail), levels in ticks.items():
        kinds[symbol].append(Levels(levels, way, trail))
    return kinds
