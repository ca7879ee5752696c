"""OKX's candle lengths."""

import numpy as np
import pytest

from oxbot.simulator.candles import VOLUME
from oxbot.simulator.timeframes import DAY_MS, HOUR_MS, TIMEFRAMES, turnovers
from tests.unit.simulator.markets import DAY_START_MS, STEP_MS, SYMBOL, random_rows, source_of


@pytest.mark.parametrize(
    ("bar", "hours_before_midnight_utc"),
    [("1H", 0), ("4H", 0), ("1Dutc", 0), ("6Hutc", 0), ("1D", 8), ("12H", 8), ("6H", 2)],
)
def test_long_candles_open_on_hong_kongs_clock_unless_they_say_utc(
    bar: str, hours_before_midnight_utc: int
) -> None:
    opens = TIMEFRAMES[bar].opens(DAY_START_MS)
    assert opens == DAY_START_MS - hours_before_midnight_utc * HOUR_MS


@pytest.mark.parametrize("bar", TIMEFRAMES)
def test_the_first_whole_candle_does_not_open_before_the_market(bar: str) -> None:
    frame = TIMEFRAMES[bar]
    for start in (DAY_START_MS, DAY_START_MS + 1, DAY_START_MS + DAY_MS // 3):
        first = frame.first_whole(start)
        assert start <= first < start + frame.length_ms
        assert frame.opens(first) == first


def test_turnover_is_volume_at_the_mean_price_and_adds_up() -> None:
    bars = source_of(random_rows(2, 24)).bars(SYMBOL, DAY_START_MS, DAY_START_MS + 24 * STEP_MS)
    each = turnovers(bars, 1)
    opened, high, low, close, volume = (int(cell) for cell in bars.rows[0])
    assert each[0] == (opened + high + low + close) * volume // 4
    assert turnovers(bars, 12) == [sum(each[:12]), sum(each[12:])]


@pytest.mark.parametrize("largest_volume", [10**9, 10**12, 10**15])
def test_turnover_is_exact_however_much_is_traded(largest_volume: int) -> None:
    bars = source_of(random_rows(4, 300)).bars(SYMBOL, DAY_START_MS, DAY_START_MS + DAY_MS)
    bars.rows[:, VOLUME] = largest_volume - np.arange(len(bars))
    each = [sum(row[:VOLUME]) * row[VOLUME] // 4 for row in bars.rows.tolist()]
    assert turnovers(bars, 100) == [sum(each[:100]), sum(each[100:200]), sum(each[200:])]
