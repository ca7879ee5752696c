"""What protects an open position, and which prices set it off."""

from collections.abc import Iterable
from typing import Final

from oxbot.domain.bot import Fraction
from oxbot.domain.market import CANDLE_MS, Candle, Quote, Symbol
from oxbot.domain.money import PositivePrice, Price
from oxbot.domain.orders import Purpose
from oxbot.domain.portfolio import Direction, trail_price
from oxbot.domain.values import Value

TRUSTED_MS: Final = 15_000
"""Real ms for which a price may set something off; scaled by the venue's rate."""


class Guard(Value):
    """What protects one open position; prices in USDT, times in venue ms.

    Prices are those at which it could be closed: bids of a long position, asks of a short one.
    `version` is the position's, which grows with every fill. `trail` is how far, as a fraction,
    the price may come back from `best`, the best one since the position was opened. A stop so
    wide that it lies at 0 is never reached; it must not keep the others from being watched.
    """

    bot_id: str
    symbol: Symbol
    direction: Direction = Direction.LONG
    opened_ms: int
    version: int
    stop_price: Price
    target_price: Price
    trail: Fraction | None = None
    best: PositivePrice | None = None
    hold_until_ms: int

    @property
    def key(self) -> tuple[str, str]:
        """Bot and symbol: a bot holds one position of a coin at a time."""
        return self.bot_id, self.symbol

    @property
    def stamp(self) -> tuple[int, int]:
        """Which position of the coin it is, and how many fills it has had."""
        return self.opened_ms, self.version

    @property
    def trail_price(self) -> Price | None:
        """Where the trailing stop lies, in USDT; None without one."""
        if self.trail is None or self.best is None:
            return None
        return trail_price(self.best, self.trail, self.direction)

    def closing_price(self, quote: Quote) -> Price:
        """Give the price (USDT) at which the position could be closed."""
        return quote.bid if self.direction is Direction.LONG else quote.ask

    def purpose_at(self, price: Price) -> Purpose | None:
        """Say what a price (USDT) sets off: the stop, the trailing stop, the target, or nothing."""
        if self.direction.gain(self.stop_price, price) <= 0:
            return Purpose.STOP
        trailing = self.trail_price
        if trailing is not None and self.direction.gain(trailing, price) <= 0:
            return Purpose.TRAIL
        return Purpose.TARGET if self.direction.gain(self.target_price, price) >= 0 else None


class Crossing(Value):
    """What calls for an exit: a price (USDT) that reached a guard, at a venue time.

    Where the hold is over the price is what it is just then, None if nobody knows. `resting` is
    the price at which an order resting at the venue filled while nobody watched; None where the
    price was seen as it came.
    """

    guard: Guard
    purpose: Purpose
    price: Price | None
    at_ms: int
    resting: Price | None = None


def best_in(candle: Candle, direction: Direction) -> Price:
    """Give the best price (USDT) of a candle for positions of a direction."""
    return candle.high if direction is Direction.LONG else candle.low


def crossed_in_candles(
    guard: Guard, candles: Iterable[Candle], known_ms: int = 0
) -> Crossing | None:
    """Find the first crossing in a stretch that nobody watched, told by its candles.

    What happened within a candle is known only in part: it began at its open, ended at its
    close, and reached its best and worst price in some order. So the stop beats the target, and
    the best price pulls the trailing stop along for the close, not for a worse one that may have
    come before. A stop fills at its price, or at the open where the candle opened beyond it; a
    target at its price.

    Args:
        guard: Of the position as it was when the stretch began.
        candles: Closed ones of `CANDLE_MS`, oldest first. Only those that opened when the
            position was open already count.
        known_ms: How old the guard's best price is at least (venue ms). It may be younger than
            what happened in a candle before, so there no trailing stop is met; in the one that
            it falls into only the close, which came after, meets one.
    """
    for candle in candles:
        if candle.open_ms < guard.opened_ms:
            continue
        knows = candle.open_ms >= known_ms
        crossing = _crossed_in(_raised(guard, candle.open) if knows else _fixed(guard), candle)
        if crossing:
            return crossing
        guard = _raised(guard, best_in(candle, guard.direction))
        crossing = _trailed_by_close(guard, candle)
        if crossing and candle.open_ms + CANDLE_MS >= known_ms:
            return crossing
    return None


def _crossed_in(guard: Guard, candle: Candle) -> Crossing | None:
    """Judge open and extremes; the open has a time of its own, extremes are known at the end."""
    at_open = guard.purpose_at(candle.open)
    if at_open in (Purpose.STOP, Purpose.TRAIL):
        return _resting(guard, at_open, candle.open, candle.open_ms)
    end_ms = candle.open_ms + CANDLE_MS
    at_worst = guard.purpose_at(_worst_of(guard, candle))
    if at_worst is Purpose.STOP or at_worst is Purpose.TRAIL:
        # Of two stops in the way the nearer one is reached first.
        trailing = guard.trail_price
        if trailing is not None and guard.direction.gain(guard.stop_price, trailing) > 0:
            return _resting(guard, Purpose.TRAIL, trailing, end_ms)
        return _resting(guard, Purpose.STOP, guard.stop_price, end_ms)
    if guard.purpose_at(best_in(candle, guard.direction)) is Purpose.TARGET:
        at_ms = candle.open_ms if at_open else end_ms
        return _resting(guard, Purpose.TARGET, guard.target_price, at_ms)
    return None


def _trailed_by_close(guard: Guard, candle: Candle) -> Crossing | None:
    """Judge the close by the candle's best price, which it certainly came after."""
    trailing = guard.trail_price
    if trailing is None or guard.direction.gain(trailing, candle.close) > 0:
        return None
    return _resting(guard, Purpose.TRAIL, trailing, candle.open_ms + CANDLE_MS)


def _raised(guard: Guard, price: Price) -> Guard:
    if guard.best is None or guard.direction.gain(guard.best, price) <= 0:
        return guard
    return guard.model_copy(update={"best": price})


def _fixed(guard: Guard) -> Guard:
    """Give a guard without its trailing stop."""
    return guard.model_copy(update={"trail": None})


def _worst_of(guard: Guard, candle: Candle) -> Price:
    return candle.low if guard.direction is Direction.LONG else candle.high


def _resting(guard: Guard, purpose: Purpose, price: Price, at_ms: int) -> Crossing:
    return Crossing(guard=guard, purpose=purpose, price=price, at_ms=at_ms, resting=price)
