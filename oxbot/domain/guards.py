"""What protects an open position, and which prices set it off."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from oxbot.domain.bot import Fraction
from oxbot.domain.market import CANDLE_MS, Candle, Symbol
from oxbot.domain.money import PositivePrice, Price, to_scale
from oxbot.domain.orders import Purpose
from oxbot.domain.values import Value

TRUSTED_MS: Final = 15_000
"""Real ms for which a price may set something off; scaled by the venue's rate."""


class Guard(Value):
    """What protects one open position; prices in USDT, times in venue ms.

    `version` is the position's, which grows with every fill. `trail` is how far, as a fraction,
    the price may fall below `best`, the best bid since the position was opened.
    """

    bot_id: str
    symbol: Symbol
    opened_ms: int
    version: int
    stop_price: PositivePrice
    target_price: PositivePrice
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
        return trail_price(self.best, self.trail)

    def purpose_at(self, bid: Price) -> Purpose | None:
        """Say what a bid (USDT) sets off: the stop, the trailing stop, the target, or nothing."""
        if bid <= self.stop_price:
            return Purpose.STOP
        trailing = self.trail_price
        if trailing is not None and bid <= trailing:
            return Purpose.TRAIL
        return Purpose.TARGET if bid >= self.target_price else None


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


def trail_price(best: Price, trail: Decimal) -> Price:
    """Give where a trailing stop lies (USDT): below the best bid by its fraction."""
    return to_scale(best * (1 - trail))


def crossed_in_candles(guard: Guard, candles: Iterable[Candle]) -> Crossing | None:
    """Find the first crossing in a stretch that nobody watched, told by its candles.

    What happened within a candle is known only in part: it began at its open, ended at its
    close, and reached high and low in some order. So the stop beats the target, and a high
    pulls the trailing stop up for the close, not for a low that may have come before. A stop
    fills at its price, or at the open where the candle opened below it; a target at its price.

    Args:
        guard: Of the position as it was when the stretch began.
        candles: Closed ones of `CANDLE_MS`, oldest first. Only those that opened when the
            position was open already count.
    """
    for candle in candles:
        if candle.open_ms < guard.opened_ms:
            continue
        crossing = _crossed_in(_raised(guard, candle.open), candle)
        if crossing:
            return crossing
        guard = _raised(guard, candle.high)
        crossing = _trailed_by_close(guard, candle)
        if crossing:
            return crossing
    return None


def _crossed_in(guard: Guard, candle: Candle) -> Crossing | None:
    """Judge open and extremes; the open has a time of its own, extremes are known at the end."""
    at_open = guard.purpose_at(candle.open)
    if at_open in (Purpose.STOP, Purpose.TRAIL):
        return _resting(guard, at_open, candle.open, candle.open_ms)
    end_ms = candle.open_ms + CANDLE_MS
    at_low = guard.purpose_at(candle.low)
    if at_low is Purpose.STOP or at_low is Purpose.TRAIL:
        # Of two stops in the way down the upper one is reached first.
        trailing = guard.trail_price
        if trailing is not None and trailing > guard.stop_price:
            return _resting(guard, Purpose.TRAIL, trailing, end_ms)
        return _resting(guard, Purpose.STOP, guard.stop_price, end_ms)
    if guard.purpose_at(candle.high) is Purpose.TARGET:
        at_ms = candle.open_ms if at_open else end_ms
        return _resting(guard, Purpose.TARGET, guard.target_price, at_ms)
    return None


def _trailed_by_close(guard: Guard, candle: Candle) -> Crossing | None:
    """Judge the close by the candle's high, which it certainly came after."""
    trailing = guard.trail_price
    if trailing is None or candle.close > trailing:
        return None
    return _resting(guard, Purpose.TRAIL, trailing, candle.open_ms + CANDLE_MS)


def _raised(guard: Guard, price: Price) -> Guard:
    if guard.best is None or guard.best >= price:
        return guard
    return guard.model_copy(update={"best": price})


def _resting(guard: Guard, purpose: Purpose, price: Price, at_ms: int) -> Crossing:
    return Crossing(guard=guard, purpose=purpose, price=price, at_ms=at_ms, resting=price)
