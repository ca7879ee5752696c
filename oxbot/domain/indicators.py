"""Indicators by TA-Lib and NumPy over closed candles, and the market part they make up."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import talib
from numpy.typing import NDArray

from oxbot.domain.errors import InputError
from oxbot.domain.market import Candle, Indicators, MarketPart, PartKey, Perpetual

CANDLES_NEEDED: Final = 150
"""Three times the longest average: by then its start weighs under 1 %."""

CANDLES_SHOWN: Final = 20
"""Candles that a part carries, and the span of bands, volume ratio and volatility."""

BAND_WIDTH: Final = 2
"""Standard deviations from the middle of the Bollinger bands to either side."""

LARGEST_VOLUME_RATIO: Final = 1_000.0
"""The most a volume ratio tells, also where there was no volume at all before."""

UNMOVED_RSI: Final = 50.0
"""RSI of a price that never moved; TA-Lib says 0, which would read as a crash."""

Floats = NDArray[np.float64]


def part_of(
    key: PartKey, candles: Sequence[Candle], perpetual: Perpetual | None = None
) -> MarketPart:
    """Make a market part of candles; what ended after the part's candle is not looked at.

    Args:
        key: Which part; its candle must be among the candles.
        candles: Of the key's length, oldest first and without a gap. Of those that had closed,
            the last `CANDLES_NEEDED` count.
        perpetual: What is told of the coin's perpetual.

    Raises:
        InputError: Too few closed candles, the key's own is not among them, or their figures
            lead to no finite number.
    """
    length_ms = key.bar.length_ms
    closed = [candle for candle in candles if candle.open_ms + length_ms <= key.candle_ms]
    _must_suffice(key, closed)
    return MarketPart(
        venue=key.venue,
        symbol=key.symbol,
        bar=key.bar,
        candle_ms=key.candle_ms,
        indicators=_indicators(key, closed[-CANDLES_NEEDED:]),
        candles=tuple(closed[-CANDLES_SHOWN:]),
        perpetual=perpetual,
    )


def _must_suffice(key: PartKey, closed: Sequence[Candle]) -> None:
    if len(closed) < CANDLES_NEEDED:
        raise InputError(
            f"{key.symbol} has {len(closed)} closed candles of {key.bar}; its indicators need "
            f"{CANDLES_NEEDED}. It may be newly listed: trade it when it has more history."
        )
    ended_ms = closed[-1].open_ms + key.bar.length_ms
    if ended_ms != key.candle_ms:
        raise InputError(
            f"The newest closed {key.bar} candle of {key.symbol} ended at {ended_ms}, not at "
            f"{key.candle_ms}; indicators of another moment would be told as of this one."
        )


def _indicators(key: PartKey, candles: Sequence[Candle]) -> Indicators:
    high, low, close, volume = (
        np.array([float(getattr(candle, name).number) for candle in candles])
        for name in ("high", "low", "close", "volume")
    )
    # Figures at the ends of what a float can hold are refused below, not warned of.
    with np.errstate(all="ignore"):
        figures = {
            **_averages(close),
            **_ranges(high, low, close),
            "rsi7": _rsi(close, 7),
            "rsi14": _rsi(close, 14),
            **_bands(close),
            "volume_ratio": _volume_ratio(volume),
            **_returns(close),
        }
    return Indicators(close=candles[-1].close, **_finite(key, figures))


def _averages(close: Floats) -> dict[str, float]:
    macd, signal, histogram = talib.MACD(close, fastperiod=12, slowperiod=26, signalperiod=9)
    return {
        "ema20": talib.EMA(close, timeperiod=20)[-1],
        "ema50": talib.EMA(close, timeperiod=50)[-1],
        "macd": macd[-1],
        "macd_signal": signal[-1],
        "macd_histogram": histogram[-1],
    }


def _ranges(high: Floats, low: Floats, close: Floats) -> dict[str, float]:
    return {
        "atr3": talib.ATR(high, low, close, timeperiod=3)[-1],
        "atr14": talib.ATR(high, low, close, timeperiod=14)[-1],
    }


def _rsi(close: Floats, period: int) -> float:
    if np.ptp(close) == 0:
        return UNMOVED_RSI
    return float(talib.RSI(close, timeperiod=period)[-1])


def _bands(close: Floats) -> dict[str, float]:
    """Compute from distances to the last close, so that an even price has no deviation."""
    distances = close[-CANDLES_SHOWN:] - close[-1]
    middle = close[-1] + distances.mean()
    reach = BAND_WIDTH * distances.std()
    return {
        "bollinger_upper": middle + reach,
        "bollinger_middle": middle,
        "bollinger_lower": middle - reach,
    }


def _volume_ratio(volume: Floats) -> float:
    """Give 1 where there was no volume before and is none now."""
    before = volume[-1 - CANDLES_SHOWN : -1].mean()
    if before == 0:
        return LARGEST_VOLUME_RATIO if volume[-1] > 0 else 1.0
    return min(LARGEST_VOLUME_RATIO, float(volume[-1] / before))


def _returns(close: Floats) -> dict[str, float]:
    changes = np.diff(np.log(close[-1 - CANDLES_SHOWN :]))
    return {
        "return_1": close[-1] / close[-2] - 1,
        "return_12": close[-1] / close[-13] - 1,
        "volatility": changes.std(ddof=1),
    }


def _finite(key: PartKey, figures: dict[str, float]) -> dict[str, float]:
    """Give plain floats without a negative zero, which a JSON column would not keep."""
    lost = [name for name, figure in figures.items() if not math.isfinite(figure)]
    if lost:
        raise InputError(
            f"The {key.bar} candles of {key.symbol} give no finite {', '.join(lost)}; their "
            f"prices cannot be right. Nothing is decided on them."
        )
    return {name: float(figure) + 0.0 for name, figure in figures.items()}
