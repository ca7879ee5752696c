"""The part of a ticker's 24 hours that is over: the same until the next base candle opens.

It is kept, since tickers are made ten times a second.
"""

from dataclasses import dataclass
from functools import lru_cache

from oxbot.simulator.candles import CLOSE, HIGH, LOW, OPEN, VOLUME
from oxbot.simulator.market import Market
from oxbot.simulator.timeframes import DAY_MS, TIMEFRAMES, turnovers

KEPT = 64
"""Days that are kept: those of ten instruments in the last few candles."""


@dataclass(frozen=True, slots=True)
class Day:
    """The last 24 hours of an instrument, prices in ticks.

    Attributes:
        last: The price now.
        open: The price at which the first of their base candles opened.
        high: The highest price.
        low: The lowest.
        lots: The volume.
        turnover: In ticks times lots.
        utc0: The price at which the day began, by UTC; or the market, if that was later.
        utc8: The same by Hong Kong's clock.
    """

    last: int
    open: int
    high: int
    low: int
    lots: int
    turnover: int
    utc0: int
    utc8: int


def day_of(market: Market, symbol: str, now_ms: int) -> Day:
    """The last 24 hours at a moment, the candle under way as far as it is.

    They begin with the base candle in which the moment 24 hours ago lies.
    """
    from_ms = now_ms - DAY_MS - now_ms % market.source.step_ms
    over = _until(market, symbol, from_ms, market.newest_ms(now_ms))
    _, high, low, last, lots = so_far = market.under_way(symbol, now_ms)
    return Day(
        last=last,
        open=over.open,
        high=max(over.high, high),
        low=min(over.low, low),
        lots=over.lots + lots,
        turnover=over.turnover + sum(so_far[:VOLUME]) * lots // 4,
        utc0=over.utc0,
        utc8=over.utc8,
    )


@lru_cache(maxsize=KEPT)
def _until(market: Market, symbol: str, from_ms: int, ts: int) -> Day:
    """The hours up to the opening of the candle under way, as seen in that moment."""
    price = market.under_way(symbol, ts)[OPEN]
    utc0, utc8 = (_began(market, symbol, bar, ts) for bar in ("1Dutc", "1D"))
    nothing = Day(price, price, price, price, lots=0, turnover=0, utc0=utc0, utc8=utc8)
    over = market.seen(symbol, from_ms, ts, ts)
    if not len(over):
        return nothing
    rows = over.rows
    return Day(
        last=int(rows[-1, CLOSE]),
        open=int(rows[0, OPEN]),
        high=max(price, int(rows[:, HIGH].max())),
        low=min(price, int(rows[:, LOW].min())),
        lots=int(rows[:, VOLUME].sum()),
        turnover=sum(turnovers(over, len(over))),
        utc0=utc0,
        utc8=utc8,
    )


def _began(market: Market, symbol: str, bar: str, ts: int) -> int:
    """The price at which the day began, or the market if that was later."""
    begin = max(TIMEFRAMES[bar].opens(ts), market.source.first_ms)
    step = market.source.step_ms
    return int(market.seen(symbol, begin, begin + step, ts).rows[0, OPEN])
