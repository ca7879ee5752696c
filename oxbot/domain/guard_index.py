"""Guards by what would set them off, so that a price finds those it reaches at once."""

from collections.abc import Container, Iterator
from typing import NamedTuple

from oxbot.domain.guards import Crossing, Guard
from oxbot.domain.money import Price
from oxbot.domain.orders import Purpose
from oxbot.domain.portfolio import Direction
from oxbot.domain.ranks import Ranks
from oxbot.domain.trails import Trails


class Best(NamedTuple):
    """A price (USDT, venue ms) that is the best one yet for the positions of a direction."""

    symbol: str
    direction: Direction
    price: Price
    at_ms: int


class GuardIndex:
    """All guards of a venue.

    A price costs a few comparisons and as many steps as there are guards it reaches, whatever
    the number of positions. What is reached stays until it is removed, and is told again.
    """

    def __init__(self) -> None:
        self._guards: dict[tuple[str, str], Guard] = {}
        self._symbols: dict[tuple[str, Direction], _Symbol] = {}

    def __len__(self) -> int:
        return len(self._guards)

    def __iter__(self) -> Iterator[Guard]:
        return iter(self._guards.values())

    def get(self, key: tuple[str, str]) -> Guard | None:
        """Give the guard of a bot's coin, as it was put."""
        return self._guards.get(key)

    @property
    def symbols(self) -> list[str]:
        """What is guarded."""
        return sorted({guard.symbol for guard in self._guards.values()})

    def put(self, guard: Guard) -> None:
        """Guard a position by this from now on; the best price known of it is kept."""
        known = self._guards.get(guard.key)
        if known is not None:
            guard = self._of(known).with_best(guard, known)
            if guard == self._of(known).with_best(known, known):
                return
            self._of(known).remove(known)
        self._guards[guard.key] = guard
        self._of(guard).put(guard)

    def remove(self, key: tuple[str, str]) -> None:
        """Guard a position no longer."""
        known = self._guards.pop(key, None)
        if known is not None:
            self._of(known).remove(known)

    def crossed(
        self,
        symbol: str,
        bid: Price,
        ask: Price,
        at_ms: int,
        only: Container[str] | None = None,
    ) -> list[Crossing]:
        """Give what a price reaches, and let trailing stops follow it.

        A price sets nothing off for a position that was opened after it, and nothing at all
        once a newer one was seen.

        Args:
            symbol: Whose price.
            bid: In USDT, what long positions are closed at.
            ask: In USDT, what short ones are.
            at_ms: Exchange time (venue ms).
            only: Bots of which it is to be given; all, unless said otherwise.
        """
        longs = self._side(symbol, Direction.LONG).crossed(bid, at_ms, only)
        return longs + self._side(symbol, Direction.SHORT).crossed(ask, at_ms, only)

    def raised(self) -> Iterator[Best]:
        """Give each price that bettered a best one since this was asked last.

        One that a later price outdid is left out.
        """
        for (symbol, direction), side in self._symbols.items():
            for price, at_ms in side.take_raised():
                yield Best(symbol, direction, price, at_ms)

    def _of(self, guard: Guard) -> "_Symbol":
        return self._side(guard.symbol, guard.direction)

    def _side(self, symbol: str, direction: Direction) -> "_Symbol":
        side = self._symbols.get((symbol, direction))
        if side is None:
            side = self._symbols[symbol, direction] = _Symbol(direction.sign)
        return side


class _Symbol:
    """The guards of one symbol and direction, by bot.

    One that was opened after the newest price waits for a price that is as new as itself. Only
    long positions are spelled out: for short ones every price is negated, so that there, too, a
    higher number is the better one.
    """

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._raised: list[tuple[Price, int]] = []
        self._newest_ms = 0
        self._guards: dict[str, Guard] = {}
        self._waiting: Ranks[int, str] = Ranks()
        self._stops: Ranks[Price, str] = Ranks()
        self._targets: Ranks[Price, str] = Ranks()
        self._trails = Trails()

    def put(self, guard: Guard) -> None:
        """Add a guard."""
        self._guards[guard.bot_id] = guard
        if guard.opened_ms > self._newest_ms:
            self._waiting.put(guard.opened_ms, guard.bot_id)
        else:
            self._begin(guard)

    def remove(self, guard: Guard) -> None:
        """Take out a guard that was put."""
        del self._guards[guard.bot_id]
        if guard.opened_ms > self._newest_ms:
            self._waiting.remove(guard.opened_ms, guard.bot_id)
            return
        self._stops.remove(self._sign * guard.stop_price, guard.bot_id)
        self._targets.remove(self._sign * guard.target_price, guard.bot_id)
        if guard.trail is not None and guard.best is not None:
            self._trails.remove(guard.bot_id, guard.trail)

    def with_best(self, guard: Guard, known: Guard) -> Guard:
        """Give a guard the best price that is known of the same position, if that is better."""
        same = (guard.opened_ms, guard.direction) == (known.opened_ms, known.direction)
        if guard.best is None or known.best is None or not same:
            return guard
        waits = known.opened_ms > self._newest_ms
        seen = self._sign * known.best if waits else self._trails.best(known.bot_id)
        best = self._sign * max(self._sign * guard.best, seen)
        return guard if best == guard.best else guard.model_copy(update={"best": best})

    def take_raised(self) -> list[tuple[Price, int]]:
        """Give the prices (USDT, venue ms) that bettered a best one since this was asked last."""
        raised, self._raised = self._raised, []
        return [(self._sign * level, at_ms) for level, at_ms in raised]

    def crossed(self, price: Price, at_ms: int, only: Container[str] | None) -> list[Crossing]:
        """Give what a price reaches; an older one than the newest says nothing."""
        if at_ms < self._newest_ms:
            return []
        self._newest_ms = at_ms
        for bot_id in list(self._waiting.at_most(at_ms)):
            guard = self._guards[bot_id]
            self._waiting.remove(guard.opened_ms, bot_id)
            self._begin(guard)
        level = self._sign * price
        if self._trails.raise_to(level):
            self._raised = [(best, seen) for best, seen in self._raised if best > level]
            self._raised.append((level, at_ms))
        return [
            Crossing(guard=self._guards[bot_id], purpose=purpose, price=price, at_ms=at_ms)
            for bot_id, purpose in self._reached(level).items()
            if only is None or bot_id in only
        ]

    def _reached(self, level: Price) -> dict[str, Purpose]:
        """Name the bots whose guards are reached; the stop comes first, the target last."""
        reached = dict.fromkeys(self._targets.at_most(level), Purpose.TARGET)
        reached.update(dict.fromkeys(self._trails.reached(level), Purpose.TRAIL))
        reached.update(dict.fromkeys(self._stops.at_least(level), Purpose.STOP))
        return reached

    def _begin(self, guard: Guard) -> None:
        self._stops.put(self._sign * guard.stop_price, guard.bot_id)
        self._targets.put(self._sign * guard.target_price, guard.bot_id)
        if guard.trail is not None and guard.best is not None:
            self._trails.put(guard.bot_id, guard.trail, self._sign * guard.best)
