"""Swaps out of spot: the premium on the price, funding, and open interest.

All of it is synthetic. The premium is a slow curve from -1.5 to 3.5 basis points of the
price; a period's funding rate is the mean premium of that period, as far as it is, so that
funding and prices agree. Open interest is a fixed number of coins, 15 % up or down.
"""

from decimal import ROUND_DOWN, Decimal
from functools import lru_cache

import numpy as np

from oxbot.simulator.candles import OPEN, VOLUME, Bars, Rows
from oxbot.simulator.instruments import INSTRUMENTS, Instrument
from oxbot.simulator.timeframes import DAY_MS, HOUR_MS
from oxbot.simulator.waves import GRID_MS, Wave

PERIOD_MS = 8 * HOUR_MS
"""Funding is settled at 00:00, 08:00 and 16:00 UTC."""

MILLION = 10**6
LOWEST_PPM, HIGHEST_PPM = -150, 350
"""The premium, in millionths of the spot price."""

BUSIER = 4
"""A swap turns over so many times what its spot pair does."""

OPEN_COINS = {"BTC": 30_000, "ETH": 500_000, "SOL": 4_000_000, "BNB": 60_000, "XRP": 150_000_000}
"""Open interest in coins about which it moves."""


def swap_rows(seed: int, swap: Instrument, spot: Bars) -> Rows:
    """A swap's candles out of those of its spot pair: prices lifted, volume in contracts.

    The premium is one number of ticks through a base candle: a share of the price at which
    the candle opened, so no later price is in it.

    Args:
        seed: The market's seed.
        swap: Which swap.
        spot: The spot pair's base candles; the last may be unfinished.
    """
    moments = spot.first_ms + spot.step_ms * np.arange(len(spot), dtype=np.int64)
    shares = spot.rows[:, OPEN] * _premium(swap.coin).along(seed, moments)
    lifts = (2 * shares + MILLION) // (2 * MILLION)
    rows = spot.rows.copy()
    rows[:, :VOLUME] = np.maximum(rows[:, :VOLUME] + lifts[:, None], 1)
    rows[:, VOLUME] = rows[:, VOLUME] * BUSIER // _spot_lots_in_a_lot(swap)
    return rows


def funding_rate(seed: int, coin: str, settled_ms: int, now_ms: int) -> Decimal:
    """The rate of the period that ends at `settled_ms`, as far as it can be known at `now_ms`.

    It is the mean premium of the grid's moments in the period up to now; a period that is
    over has its final rate.
    """
    begin = settled_ms - PERIOD_MS
    until = min(now_ms, settled_ms - 1)
    moments = range(begin, until + 1, GRID_MS)
    return _mean_ppm(seed, coin, begin, len(moments)).scaleb(-6)


def open_interest_lots(seed: int, swap: Instrument, now_ms: int) -> int:
    """Open interest in lots of contracts; the same for five minutes."""
    coins = OPEN_COINS[swap.coin]
    share = Wave(f"interest {swap.coin}", DAY_MS, 850_000, 1_150_000).at(seed, now_ms)
    return int(Decimal(coins * share) / MILLION / swap.coins(1))


@lru_cache(maxsize=5000)
def _mean_ppm(seed: int, coin: str, begin_ms: int, count: int) -> Decimal:
    moments = begin_ms + GRID_MS * np.arange(count, dtype=np.int64)
    total = int(_premium(coin).along(seed, moments).sum())
    return (Decimal(total) / count).quantize(Decimal("0.01"), rounding=ROUND_DOWN)


def _premium(coin: str) -> Wave:
    """The premium of a swap over spot, in millionths."""
    return Wave(f"premium {coin}", PERIOD_MS // 2, LOWEST_PPM, HIGHEST_PPM)


def _spot_lots_in_a_lot(swap: Instrument) -> int:
    return int(swap.coins(1) / INSTRUMENTS[swap.pair].lot)
