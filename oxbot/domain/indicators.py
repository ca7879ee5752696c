"""Indicators by TA-Lib over closed candles; floats, since none of them is money."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import talib

from oxbot.domain.errors import InputError
from oxbot.domain.market import Candle, Indicators

CANDLES_NEEDED: Final = 150
"""Three times the longest average: by then its start weighs under 1 %."""

HOUR: Final = 12
"""Five-minute candles in an hour."""


def indicators_of(candles: Sequence[Candle], candle_ms: int) -> Indicators:
    """Compute the indicators at the end of the newest candle.

    Args:
        candles: Closed candles, oldest first, at least `CANDLES_NEEDED`.
        candle_ms: Venue time at which the newest one ended.

    Raises:
        InputError: Too few candles for the longest look-back.
    """
    if len(candles) < CANDLES_NEEDED:
        raise InputError(
            f"{len(candles)} closed candles are too few for the indicators; "
            f"{CANDLES_NEEDED} are needed. The symbol may be newly listed."
        )
    high = np.array([float(candle.high) for candle in candles])
    low = np.array([float(candle.low) for candle in candles])
    close = np.array([float(candle.close) for candle in candles])
    return Indicators(
        candle_ms=candle_ms,
        close=candles[-1].close,
        ema20=float(talib.EMA(close, timeperiod=20)[-1]),
        ema50=float(talib.EMA(close, timeperiod=50)[-1]),
        rsi14=float(talib.RSI(close, timeperiod=14)[-1]),
        atr14=float(talib.ATR(high, low, close, timeperiod=14)[-1]),
        change_1h=float(close[-1] / close[-1 - HOUR] - 1),
    )
