"""What candles alone say of a position: where its stop, target or trailing stop was met.

A candle tells its open, its close and its extremes, not in which order the extremes came. So
it says what was certainly met in it, and what may have been. Of the candle in which a position
was opened only the close is known to be later; its extremes may lie before.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from oxbot.domain.market import Candle, Positive, Symbol
from oxbot.domain.money import PositivePrice, Price, to_scale
from oxbot.domain.orders import Purpose
from oxbot.domain.values import Value

PROTECTIVE: Final = (Purpose.STOP, Purpose.TRAIL, Purpose.TARGET)
"""The exits that prices set off; at one price the first beats the others."""


class Round(Value):
    """One position: how it began, what protected it, and how it ended, if it did.

    `entry_price` is the average fill in USDT, of which `stop`, `target` and `trail` are
    fractions; times in venue ms. `limit_price` (USDT) is that of a live entry: the stop that it
    brought lies that fraction below it, until it is changed to the average fill, and may act there.
    """

    bot_id: str
    symbol: Symbol
    entry_price: PositivePrice
    limit_price: PositivePrice | None = None
    stop: Positive
    target: Positive
    trail: Positive | None = None
    opened_ms: int
    closed_ms: int | None = None
    exit: Purpose | None = None

    @property
    def first(self) -> "Round":
        """Give it as the stop had it that its entry brought."""
        price = self.entry_price if self.limit_price is None else self.limit_price
        return self.model_copy(update={"entry_price": max(price, self.entry_price)})


class Judgement(StrEnum):
    """What the candles make of a position's end.

    `met`: it ended in the candle that met its guard, and by it. `late`: in a later candle.
    `missed`: a guard was met, and it ended otherwise or not at all. `unfounded`: it ended by a
    guard that its candle did not meet.
    """

    MET = "met"
    LATE = "late"
    MISSED = "missed"
    UNFOUNDED = "unfounded"


class Finding(Value):
    """The judgement on one position, by the candle that opened at `candle_ms` (venue ms).

    `guards` are those that the candle met or may have met.
    """

    round: Round
    judgement: Judgement
    candle_ms: int
    guards: tuple[Purpose, ...]


class _Best(NamedTuple):
    """The best bid so far, in USDT: certainly this much, and perhaps that much."""

    least: Price
    most: Price

    def after(self, held: Round, candle: Candle) -> "_Best":
        seen = candle.high if _is_whole(held, candle) else candle.close
        return _Best(max(self.least, seen), max(self.most, candle.high))


def judge(held: Round, candles: Iterable[Candle], length_ms: int, end_ms: int) -> Finding | None:
    """Judge one position; None where no guard was met, and none is said to have been.

    Args:
        held: The position.
        candles: From the one in which it was opened on, oldest first, without a gap.
        length_ms: Their length in ms.
        end_ms: Up to which venue time (ms) one that is still open is judged.
    """
    last_ms = end_ms if held.closed_ms is None else held.closed_ms
    best = _Best(held.entry_price, held.entry_price)
    for candle in candles:
        if last_ms < candle.open_ms + length_ms:
            return _judge_end(held, candle, best)
        if certain := tuple(_certain(held, candle, best)):
            late = held.exit in PROTECTIVE
            judgement = Judgement.LATE if late else Judgement.MISSED
            return _finding(held, judgement, candle, certain)
        best = best.after(held, candle)
    return None


def _judge_end(held: Round, candle: Candle, best: _Best) -> Finding | None:
    """Judge the candle in which it ended, of which only the open is known to be earlier."""
    open_met = _met_at(held, candle.open, best.least) if _is_whole(held, candle) else []
    if held.exit not in PROTECTIVE:
        return _finding(held, Judgement.MISSED, candle, open_met) if open_met else None
    possible = open_met[:1] or list(_possible(held, candle, best))
    judgement = Judgement.MET if held.exit in possible else Judgement.UNFOUNDED
    return _finding(held, judgement, candle, possible)


def _is_whole(held: Round, candle: Candle) -> bool:
    return held.opened_ms <= candle.open_ms


def _certain(held: Round, candle: Candle, best: _Best) -> Iterator[Purpose]:
    """Give what a candle met, in whatever order its extremes came."""
    if not _is_whole(held, candle):
        yield from _met_at(held, candle.close, best.least)
        return
    at_low, at_high = (_met_at(held, price, best.least) for price in (candle.low, candle.high))
    at_close = _met_at(held, candle.close, max(best.least, candle.high))
    yield from (purpose for purpose in PROTECTIVE if purpose in {*at_low, *at_high, *at_close})


def _possible(held: Round, candle: Candle, best: _Best) -> Iterator[Purpose]:
    """Give what a candle met or may have met."""
    highest = max(best.most, candle.high)
    at_low, at_high = (_met_at(held, price, highest) for price in (candle.low, candle.high))
    at_first = set(_met_at(held.first, candle.low, highest)) & {Purpose.STOP}
    yield from (purpose for purpose in PROTECTIVE if purpose in {*at_low, *at_high, *at_first})


def _met_at(held: Round, bid: Price, best: Price) -> list[Purpose]:
    """Give what a bid meets, where this was the best one so far; both in USDT."""
    met = {
        Purpose.STOP: bid <= to_scale(held.entry_price * (1 - held.stop)),
        Purpose.TRAIL: held.trail is not None and bid <= to_scale(best * (1 - held.trail)),
        Purpose.TARGET: bid >= to_scale(held.entry_price * (1 + held.target)),
    }
    return [purpose for purpose in PROTECTIVE if met[purpose]]


def _finding(
    held: Round, judgement: Judgement, candle: Candle, guards: Iterable[Purpose]
) -> Finding:
    return Finding(round=held, judgement=judgement, candle_ms=candle.open_ms, guards=tuple(guards))
