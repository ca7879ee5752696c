"""Markets for the tests: real candle sources with random or chosen candles."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
from hypothesis import strategies as st

from oxbot.simulator.candles import Bars, Rows
from oxbot.simulator.clock import ClockState, Mode, VenueClock
from oxbot.simulator.files import CandleFiles
from oxbot.simulator.market import Market
from oxbot.simulator.venue import Venue

SYMBOL = "BTC-USDT"
STEP_MS = 300_000
DAY_START_MS = 1_735_689_600_000  # 2025-01-01T00:00:00Z


def random_rows(seed: int, count: int) -> Rows:
    """A walk of whole ticks with wicks, and volumes."""
    rng = np.random.default_rng(seed)
    ends = 500_000 + rng.integers(-900, 900, count + 1).cumsum()
    opens, closes = ends[:-1], ends[1:]
    highs = np.maximum(opens, closes) + rng.integers(0, 500, count)
    lows = np.minimum(opens, closes) - rng.integers(0, 500, count)
    return np.column_stack([opens, highs, lows, closes, rng.integers(0, 10**9, count)])


def source_of(rows: Rows, first_ms: int = DAY_START_MS, step_ms: int = STEP_MS) -> CandleFiles:
    """A source of one coin with these candles."""
    bars = Bars(first_ms, step_ms, rows)
    return CandleFiles(
        "test market", (SYMBOL,), step_ms, first_ms, bars.ts(len(bars)), {SYMBOL: bars}
    )


def with_rows(source: CandleFiles, rows: Rows) -> CandleFiles:
    """The same source with other candles."""
    return replace(source, series={SYMBOL: Bars(source.first_ms, source.step_ms, rows)})


def stepped_venue(source: CandleFiles, now_ms: int, seed: int = 1) -> Venue:
    """A venue that stands still at a moment."""
    state = ClockState("test market", Mode.STEPPED, rate=Decimal(1), venue_ms=now_ms, wall_ms=0)
    clock = VenueClock(state, source.end_ms, save=lambda _: None, wall=lambda: 0)
    return Venue(Market(source, seed), clock)


@st.composite
def rows_of_a_candle(draw: st.DrawFn) -> list[int]:
    """Open, high, low, close in ticks and a volume in lots."""
    low = draw(st.integers(1, 10**9))
    high = draw(st.integers(low, low + 10**6))
    inside = st.integers(low, high)
    return [draw(inside), high, low, draw(inside), draw(st.integers(0, 10**12))]
