"""What moves the generated market: returns, extremes and volumes of five coins.

Returns follow a one-factor model. The market's factor and each coin's own part are
GARCH(1,1) processes (Bollerslev, 1986) with Student t innovations, so there are fat tails,
calm and wild hours, and coins that fall together. Price levels, volatilities, correlations
and the way volume follows the range were set beside real five-minute candles of 2025.
A weak pull brings each coin back to its level, so that the market can go on for years.

The market is made in chunks of a week: each has its own random numbers and starts from the
state in which the one before it ended.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oxbot.simulator.candles import Rows
from oxbot.simulator.instruments import INSTRUMENTS

CHUNK = 7 * 288
"""Candles that are made at once: a week."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Coin:
    """What a coin of the generated market is like.

    Attributes:
        symbol: The instId.
        level: The price it starts at and is pulled back to, in USDT.
        volatility: Standard deviation of the return of five minutes.
        loading: Correlation of its return with the market's factor.
        volume: Median volume of five minutes, in coins.
    """

    symbol: str
    level: float
    volatility: float
    loading: float
    volume: float


COINS = (
    Coin("BTC-USDT", 94_000.0, 0.0013, 0.91, 45.0),
    Coin("ETH-USDT", 3_350.0, 0.0022, 0.88, 900.0),
    Coin("SOL-USDT", 190.0, 0.0024, 0.88, 7_500.0),
    Coin("BNB-USDT", 700.0, 0.0013, 0.80, 140.0),
    Coin("XRP-USDT", 2.1, 0.0023, 0.86, 450_000.0),
)

TAIL = 5.0
"""Degrees of freedom of the innovations."""

WIDEST = 9.0
"""An innovation is cut at so many standard deviations."""

ALPHA, BETA = 0.06, 0.935
"""GARCH(1,1) around a variance of one: weight of the last square, weight of the last variance."""

PULL = math.log(2) / (90 * 288)
"""The share of its distance to the level that a coin loses in a candle: half in 90 days."""

REACH = 0.8
"""How wide a candle is, compared with a Brownian bridge of its volatility."""

USUAL_RANGE = 1.25
"""The range of a usual candle, in standard deviations of the return."""

VOLUME_POWER, VOLUME_NOISE = 1.25, 0.55
"""Volume = median times (range / usual range) to this power, times lognormal noise."""


@dataclass(frozen=True, slots=True)
class State:
    """What a chunk hands on: variances (the factor, then the coins) and log distances."""

    variances: tuple[float, ...]
    distances: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """Where one coin goes in a chunk, before it is cut into candles.

    Attributes:
        coin: Which coin.
        levels: Log distances to its level; one more than there are candles.
        spread: Standard deviation of each candle's return.
        draws: Four rows in (0, 1): high, low, and two for the volume's noise.
    """

    coin: Coin
    levels: Floats
    spread: Floats
    draws: Floats


FIRST_STATE = State((1.0,) * (len(COINS) + 1), (0.0,) * len(COINS))
"""Every coin at its level, every variance at its mean."""


def ways_through(seed: int, number: int, state: State) -> tuple[list[Way], State]:
    """Every coin's way through a chunk, and the state in which the chunk ends."""
    draws = _uniforms(seed, number)
    market, market_variances, next_variance = _garch(_student(draws[0:2]), state.variances[0])
    variances, ways = [next_variance], list[Way]()
    for index, coin in enumerate(COINS):
        own_draws = draws[2 + 6 * index : 8 + 6 * index]
        own, own_variances, next_variance = _garch(
            _student(own_draws[0:2]), state.variances[index + 1]
        )
        own_share = 1 - coin.loading**2
        returns = coin.volatility * (coin.loading * market + math.sqrt(own_share) * own)
        spread = coin.volatility * np.sqrt(
            coin.loading**2 * market_variances + own_share * own_variances
        )
        ways.append(Way(coin, _pulled(returns, state.distances[index]), spread, own_draws[2:]))
        variances.append(next_variance)
    return ways, State(tuple(variances), tuple(float(way.levels[-1]) for way in ways))


def _uniforms(seed: int, number: int) -> Floats:
    """Draws in (0, 1): two rows for the factor, six for each coin, a column a candle.

    They are made from PCG64's raw numbers, whose stream NumPy guarantees, so that a new
    version of NumPy does not change the market of a seed.
    """
    count = 2 + 6 * len(COINS)
    raw = np.random.PCG64(np.random.SeedSequence([seed, number])).random_raw(count * CHUNK)
    draws = ((raw >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    return draws.reshape(count, CHUNK)


def _student(draws: Floats) -> Floats:
    """Student t innovations of variance one, cut at WIDEST (Bailey's polar method, 1994)."""
    radius = np.sqrt((TAIL - 2) * (np.power(draws[0], -2 / TAIL) - 1))
    scaled: Floats = radius * np.cos(2 * math.pi * draws[1])
    return np.clip(scaled, -WIDEST, WIDEST)


def _garch(innovations: Floats, variance: float) -> tuple[Floats, Floats, float]:
    """Returns of unit variance, the variance of each, and the variance that comes next."""
    returns, variances = [], []
    for innovation in innovations.tolist():
        variances.append(variance)
        value = innovation * math.sqrt(variance)
        returns.append(value)
        variance = 1 - ALPHA - BETA + ALPHA * value * value + BETA * variance
    return np.array(returns), np.array(variances), variance


def _pulled(returns: Floats, distance: float) -> Floats:
    """Log distances to the level: before the chunk, and after each of its candles."""
    distances = [distance]
    for value in returns.tolist():
        distance += value - PULL * distance
        distances.append(distance)
    return np.array(distances)


def candles_of(way: Way) -> Rows:
    """Candles in ticks and lots out of a coin's log prices.

    The extremes are those of a Brownian bridge from open to close: for a uniform u, its
    maximum is (c + sqrt(c^2 - 2 s^2 ln u)) / 2 for a way c and a deviation s.
    """
    coin, levels = way.coin, way.levels
    change = np.diff(levels)
    reach = -2 * (REACH * way.spread) ** 2 * np.log(way.draws[:2])
    up = (change + np.sqrt(change**2 + reach[0])) / 2
    down = (change - np.sqrt(change**2 + reach[1])) / 2
    ends = _ticks(coin, levels)
    opens, closes = ends[:-1], ends[1:]
    highs = np.maximum(_ticks(coin, levels[:-1] + up), np.maximum(opens, closes))
    lows = np.minimum(_ticks(coin, levels[:-1] + down), np.minimum(opens, closes))
    volumes = _volumes(coin, up - down, way.draws[2:]) / float(INSTRUMENTS[coin.symbol].lot)
    return np.column_stack([opens, highs, lows, closes, np.rint(volumes).astype(np.int64)])


def _volumes(coin: Coin, ranges: Floats, draws: Floats) -> Floats:
    """Volumes in coins that rise with the candles' ranges (of log prices)."""
    noise = np.sqrt(-2 * np.log(draws[0])) * np.cos(2 * math.pi * draws[1])
    usual = USUAL_RANGE * coin.volatility
    volumes: Floats = coin.volume * (ranges / usual) ** VOLUME_POWER * np.exp(VOLUME_NOISE * noise)
    return volumes


def _ticks(coin: Coin, levels: Floats) -> NDArray[np.int64]:
    """Log distances to the level as prices in whole ticks, at least one."""
    tick = float(INSTRUMENTS[coin.symbol].tick)
    return np.maximum(1, np.rint(coin.level * np.exp(levels) / tick)).astype(np.int64)
