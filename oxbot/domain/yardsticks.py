"""What anybody could have earned in the same stretch: by holding, and by trading at random.

Both pay the fee of each trade, and trade at closing prices, without a spread; what is held at the
end counts at its price.
"""

import random
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from oxbot.domain.money import EXACT, Notional, Price, to_scale
from oxbot.domain.values import Value

SEEDS: Final = 500
"""Repetitions of the random trades."""

LOW, MIDDLE, HIGH = Decimal("0.05"), Decimal("0.5"), Decimal("0.95")
"""Parts of the repetitions below the ends of the interval, and below its middle."""

Closes = Mapping[str, Sequence[Price]]
"""Closing prices by coin, oldest first, of the same candles."""


class Stake(Value):
    """A position's size and length: USDT of the entry, and whole candles.

    `closed`: it was sold, so that both fees were paid; one that is still held paid one.
    """

    invested: Notional
    candles: int
    closed: bool = True


class Chance(Value):
    """What random trades earned, in USDT after fees.

    Of `seeds` repetitions a twentieth earned less than `low`, half less than `median`, and a
    twentieth more than `high`. `worse` is the part of them that earned less than the bot.
    """

    seeds: int
    low: Notional
    median: Notional
    high: Notional
    worse: Decimal


def worth_held(capital: Notional, closes: Closes) -> Notional:
    """Give what equal parts of the capital, put into each coin at its first close, become."""
    part = EXACT.divide(capital.number, Decimal(len(closes)))
    ends = (part * _grown(prices[0], prices[-1]) for prices in closes.values())
    return to_scale(Notional(sum(ends, Decimal(0))))


def traded_at_random(
    stakes: Sequence[Stake], earned: Notional, closes: Closes, fee_rate: Decimal, seeds: int = SEEDS
) -> Chance | None:
    """Give what the same stakes earn at random times in random coins; None without stakes.

    Args:
        stakes: The bot's own round trips: so turnover and holding times are the same.
        earned: What the bot earned with them.
        closes: Of the stretch; each coin has the same number.
        fee_rate: Of each fill, as a fraction.
        seeds: Repetitions; the same ones give the same result.
    """
    if not stakes:
        return None
    outcomes = sorted(_one(stakes, closes, fee_rate, seed) for seed in range(seeds))
    worse = sum(outcome < earned.number for outcome in outcomes)
    low, median, high = (
        to_scale(Notional(outcomes[int(part * (seeds - 1))])) for part in (LOW, MIDDLE, HIGH)
    )
    return Chance(
        seeds=seeds, low=low, median=median, high=high, worse=EXACT.divide(worse, Decimal(seeds))
    )


def _one(stakes: Sequence[Stake], closes: Closes, fee_rate: Decimal, seed: int) -> Decimal:
    """Trade all stakes once, each in a coin and at a time of its own."""
    chance, symbols = random.Random(seed), sorted(closes)  # noqa: S311 - no secret
    total = Decimal(0)
    for stake in stakes:
        prices = closes[chance.choice(symbols)]
        length = min(stake.candles, len(prices) - 1)
        begin = chance.randrange(len(prices) - length)
        grown = _grown(prices[begin], prices[begin + length])
        fees = fee_rate * (1 + grown if stake.closed else 1)
        total += stake.invested.number * (grown - 1 - fees)
    return total


def _grown(entry: Price, leaving: Price) -> Decimal:
    return EXACT.divide(leaving.number, entry.number)
