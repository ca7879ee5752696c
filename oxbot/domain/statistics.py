"""How well a bot did, after fees and what its models cost: formulas, and where they are from.

Worth is equity less what models have cost so far, a USD counted as a USDT: what would be left if
the owner had paid them out of the bot. Drawdown and Sharpe ratio are of that series, without
what was recorded by prices too old to measure losses by, as risk limits are.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from oxbot.domain.money import EXACT, Notional, to_scale

FEWEST_DAYS: Final = 10
"""Daily returns below which a Sharpe ratio says nothing."""

DAYS_A_YEAR: Final = Decimal(365)
"""Coins are traded every day."""

_RATIO: Final = Decimal("1E-8")
"""Ratios are given to so many digits."""


def ratio(part: Decimal, whole: Decimal) -> Decimal:
    """Give part/whole, rounded half-even to 10^-8."""
    return EXACT.divide(part, whole).quantize(_RATIO, context=EXACT)


def share_of(part: Decimal, whole: Decimal) -> Decimal | None:
    """Give part/whole; None where the whole is nothing."""
    return ratio(part, whole) if whole else None


def net_pnl(capital: Notional, equity: Notional, model_cost_usd: Decimal) -> Notional:
    """Give net profit or loss in USDT: equity - capital - model cost.

    Equity counts what is held at bid and has paid its fees.
    """
    return equity - capital - Notional.exactly(model_cost_usd)


def drawdown(peak: Notional, trough: Notional) -> Decimal:
    """Give a fall as a fraction of the peak before it: (peak - trough) / peak.

    The maximum drawdown is the largest of these, after Magdon-Ismail and Atiya, "Maximum
    Drawdown", Risk 17(10), 2004.
    """
    return ratio((peak - trough).number, peak.number)


def daily_returns(start: Notional, days: Sequence[tuple[int, Notional]]) -> list[Decimal] | None:
    """Give the return of each UTC day: worth at its end / worth at the end of the day before, - 1.

    A day on which nothing was recorded ends as the one before did. None where worth was not
    above nothing, so that there are no returns of it.

    Args:
        start: Worth before the first day.
        days: Number of the day and worth at its end, in order.
    """
    if any(worth <= 0 for _, worth in ((0, start), *days)):
        return None
    returns: list[Decimal] = []
    last_day, last = None, start
    for day, worth in days:
        idle = 0 if last_day is None else day - last_day - 1
        returns += [Decimal(0)] * idle
        returns.append(EXACT.subtract(worth / last, Decimal(1)))
        last_day, last = day, worth
    return returns


def sharpe(returns: Sequence[Decimal]) -> Decimal | None:
    """Give the annualised Sharpe ratio: mean / standard deviation of daily returns * sqrt(365).

    After Sharpe, "The Sharpe Ratio", Journal of Portfolio Management 21(1), 1994, with a riskless
    rate of nothing; the deviation is that of a sample (n - 1). Scaling by the square root takes
    days as independent of each other (Lo, "The Statistics of Sharpe Ratios", Financial Analysts
    Journal 58(4), 2002). None below ten days, and where all are alike.
    """
    if len(returns) < FEWEST_DAYS:
        return None
    count = Decimal(len(returns))
    mean = EXACT.divide(sum(returns, Decimal(0)), count)
    squares = (EXACT.power(EXACT.subtract(value, mean), 2) for value in returns)
    variance = EXACT.divide(sum(squares, Decimal(0)), count - 1)
    if not variance or len(set(returns)) == 1:
        return None
    yearly = EXACT.multiply(mean, DAYS_A_YEAR.sqrt(EXACT))
    return ratio(yearly, variance.sqrt(EXACT))


def win_rate(wins: int, trades: int) -> Decimal | None:
    """Give the part of the round trips that earned something after fees; None without any."""
    return share_of(Decimal(wins), Decimal(trades))


def profit_factor(gained: Notional, lost: Notional) -> Decimal | None:
    """Give gross profit / gross loss over all round trips, after fees; None without a loss."""
    return share_of(gained.number, lost.number)


def average(total: Notional, count: int) -> Notional | None:
    """Give the mean of so many amounts, at the money scale; None of none."""
    return to_scale(total / count) if count else None
