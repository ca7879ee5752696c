"""Indicators: as the textbook has them, defined where nothing moves, blind to all but the past.

The formulas below are written out in plain Python, with exact fractions where that is possible,
and share nothing with the code they check.
"""

import itertools
import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.domain.errors import InputError
from oxbot.domain.indicators import CANDLES_NEEDED, LARGEST_VOLUME_RATIO, part_of
from oxbot.domain.market import Bar, Candle, Indicators, MarketPart, PartKey
from oxbot.domain.money import Price, Quantity

END_MS = 1_000 * Bar.H4.length_ms
KEY = PartKey("okx", "BTC/USDT", Bar.M5, END_MS)
FIELDS = [name for name in Indicators.model_fields if name != "close"]


def candle(number: int, prices: Sequence[Decimal], volume: Decimal, bar: Bar = Bar.M5) -> Candle:
    """The candle so many places before the end; prices are open, high, low and close."""
    open_, high, low, close = prices
    return Candle(
        open_ms=END_MS - (number + 1) * bar.length_ms,
        open=Price(open_),
        high=Price(high),
        low=Price(low),
        close=Price(close),
        volume=Quantity(volume),
    )


def even(price: str = "100", volume: str = "5", count: int = CANDLES_NEEDED) -> list[Candle]:
    """Candles in which nothing moves."""
    return [candle(n, [Decimal(price)] * 4, Decimal(volume)) for n in reversed(range(count))]


def walk(count: int, seed: int = 1, scale: str = "1", bar: Bar = Bar.M5) -> list[Candle]:
    """Candles of a price that wanders, by a congruential generator."""
    candles, close, state, unit = [], Decimal(1_000), seed, Decimal(scale)
    for number in reversed(range(count)):
        state = (state * 1_103_515_245 + 12_345) % 2**31
        open_, close = close, max(Decimal(10), close + Decimal(state % 2_001 - 1_000) / 100)
        reach = Decimal(state % 301) / 100
        prices = [open_, max(open_, close) + reach, min(open_, close) - reach, close]
        volume = Decimal(state % 977) / 10
        candles.append(candle(number, [price * unit for price in prices], volume, bar))
    return candles


def closes(candles: Sequence[Candle]) -> list[Fraction]:
    return [Fraction(each.close.number) for each in candles]


def mean(values: Sequence[Fraction]) -> Fraction:
    return sum(values, Fraction(0)) / len(values)


def ema(values: Sequence[Fraction], period: int, start: int = 0) -> list[Fraction]:
    """From the simple mean of the first `period` values after `start`, then 2 / (n + 1) a step."""
    averages = [mean(values[start : start + period])]
    for value in values[start + period :]:
        averages.append(averages[-1] + Fraction(2, period + 1) * (value - averages[-1]))
    return averages


def wilder(values: Sequence[Fraction], period: int) -> Fraction:
    """From the simple mean of the first `period` values, then 1 / n a step."""
    average = mean(values[:period])
    for value in values[period:]:
        average = (average * (period - 1) + value) / period
    return average


def macd(values: Sequence[Fraction]) -> tuple[Fraction, Fraction]:
    """EMA 12 less EMA 26, both begun where the longer one has its first value; then EMA 9."""
    line = [fast - slow for fast, slow in zip(ema(values, 12, 14), ema(values, 26), strict=True)]
    return line[-1], ema(line, 9)[-1]


def rsi(values: Sequence[Fraction], period: int) -> Fraction:
    steps = [after - before for before, after in itertools.pairwise(values)]
    gain = wilder([max(step, Fraction(0)) for step in steps], period)
    loss = wilder([max(-step, Fraction(0)) for step in steps], period)
    return 100 * gain / (gain + loss)


def atr(candles: Sequence[Candle], period: int) -> Fraction:
    ranges = []
    for before, now in itertools.pairwise(candles):
        high, low, close = (Fraction(price.number) for price in (now.high, now.low, before.close))
        ranges.append(max(high - low, abs(high - close), abs(low - close)))
    return wilder(ranges, period)


def deviation(values: Sequence[float], freedom: int) -> float:
    middle = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((v - middle) ** 2 for v in values) / (len(values) - freedom))


def textbook(candles: Sequence[Candle]) -> dict[str, float]:
    values = closes(candles)
    line, signal = macd(values)
    middle = mean(values[-20:])
    variance = mean([(value - middle) ** 2 for value in values[-20:]])
    volumes = [Fraction(each.volume.number) for each in candles]
    logs = [math.log(b / a) for a, b in zip(values[-21:], values[-20:], strict=False)]
    return {
        "ema20": float(ema(values, 20)[-1]),
        "ema50": float(ema(values, 50)[-1]),
        "macd": float(line),
        "macd_signal": float(signal),
        "macd_histogram": float(line - signal),
        "rsi7": float(rsi(values, 7)),
        "rsi14": float(rsi(values, 14)),
        "atr3": float(atr(candles, 3)),
        "atr14": float(atr(candles, 14)),
        "bollinger_upper": float(middle) + 2 * math.sqrt(variance),
        "bollinger_middle": float(middle),
        "bollinger_lower": float(middle) - 2 * math.sqrt(variance),
        "volume_ratio": float(volumes[-1] / mean(volumes[-21:-1])),
        "return_1": float(values[-1] / values[-2] - 1),
        "return_12": float(values[-1] / values[-13] - 1),
        "volatility": deviation(logs, 1),
    }


@pytest.mark.parametrize("scale", ["100", "1", "1E-8"], ids=["bitcoin", "ether", "a meme coin"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_indicator_is_the_textbooks(seed: int, scale: str) -> None:
    candles = walk(CANDLES_NEEDED, seed, scale)
    part = part_of(KEY, candles)
    assert part.indicators.close == candles[-1].close
    expected = textbook(candles)
    assert sorted(expected) == sorted(FIELDS)
    unit = float(scale)
    for name in FIELDS:
        found = getattr(part.indicators, name)
        assert found == pytest.approx(expected[name], rel=1e-9, abs=1e-9 * unit), name


def test_a_part_shows_its_last_twenty_candles() -> None:
    candles = walk(CANDLES_NEEDED)
    part = part_of(KEY, candles)
    assert part.candles == tuple(candles[-20:])
    assert part.key == KEY


@pytest.mark.parametrize("price", ["0.1", "60000.1", "1E-9"])
def test_where_the_price_never_moved_nothing_looks_like_a_move(price: str) -> None:
    seen = part_of(KEY, even(price)).indicators
    flat = float(Decimal(price))
    for name in ("ema20", "ema50"):
        assert getattr(seen, name) == pytest.approx(flat, rel=1e-12)
    assert seen.bollinger_upper == seen.bollinger_middle == seen.bollinger_lower == flat
    assert (seen.rsi7, seen.rsi14) == (50, 50)
    assert (seen.atr3, seen.atr14, seen.return_1, seen.return_12, seen.volatility) == (0,) * 5
    assert seen.macd == pytest.approx(0, abs=1e-12 * flat)
    assert seen.volume_ratio == 1


def test_a_rise_without_a_fall_is_an_rsi_of_100_and_the_reverse_of_0() -> None:
    rising = [candle(n, [Decimal(1_000 - n)] * 4, Decimal(1)) for n in reversed(range(150))]
    falling = [candle(n, [Decimal(1_000 + n)] * 4, Decimal(1)) for n in reversed(range(150))]
    assert part_of(KEY, rising).indicators.rsi14 == 100
    assert part_of(KEY, falling).indicators.rsi7 == 0


@pytest.mark.parametrize(("price", "step"), [("60000", "0.1"), ("0.00001", "0.00000001")])
def test_the_last_move_before_a_long_calm_is_not_forgotten(price: str, step: str) -> None:
    """Averages that are tiny are no zero, also where a coin costs a thousandth of a cent."""
    for rises, expected in ((True, 100), (False, 0)):
        calm = even(price)
        before = Price(price) - Price(step) * (1 if rises else -1)
        first = calm[0].model_copy(update=dict.fromkeys(("open", "high", "low", "close"), before))
        seen = part_of(KEY, [first, *calm[1:]]).indicators
        assert (seen.rsi7, seen.rsi14) == (expected, expected)


def test_a_stretch_without_volume_has_a_ratio_that_says_so() -> None:
    quiet = even(volume="0")
    assert part_of(KEY, quiet).indicators.volume_ratio == 1
    woken = [*quiet[:-1], quiet[-1].model_copy(update={"volume": Quantity("0.001")})]
    assert part_of(KEY, woken).indicators.volume_ratio == LARGEST_VOLUME_RATIO
    before = [*quiet[:-2], quiet[-2].model_copy(update={"volume": Quantity(7)}), quiet[-1]]
    assert part_of(KEY, before).indicators.volume_ratio == 0


@pytest.mark.parametrize("bar", list(Bar))
def test_too_little_history_is_refused_with_symbol_bar_and_figures(bar: Bar) -> None:
    key = KEY._replace(bar=bar)
    with pytest.raises(InputError, match=f"BTC/USDT has 149 closed candles of {bar}.* 150"):
        part_of(key, walk(149, bar=bar))
    with pytest.raises(InputError, match="has 0 closed candles"):
        part_of(key, [])
    assert part_of(key, walk(150, bar=bar)).bar is bar


def test_candles_that_end_before_the_part_are_refused() -> None:
    later = KEY._replace(candle_ms=END_MS + Bar.M5.length_ms)
    with pytest.raises(InputError, match=f"ended at {END_MS}, not at {later.candle_ms}"):
        part_of(later, walk(160))


@pytest.mark.parametrize("price", ["1E400", "1E-400", "1E308"])
def test_figures_that_no_float_can_hold_are_refused(price: str) -> None:
    candles = even()
    wild = candles[-2].model_copy(
        update=dict.fromkeys(("open", "high", "low", "close"), Price.exactly(Decimal(price)))
    )
    with pytest.raises(InputError, match="5m candles of BTC/USDT give no finite"):
        part_of(KEY, [*candles[:-2], wild, candles[-1]])


PRICES = st.decimals(Decimal("0.000001"), Decimal(1_000_000), places=6)
ROWS = st.lists(
    st.tuples(PRICES, PRICES, st.decimals(0, 10_000, places=3)), min_size=150, max_size=190
)


def candles_of(rows: Sequence[tuple[Decimal, Decimal, Decimal]]) -> list[Candle]:
    return [
        candle(len(rows) - 1 - n, [first, max(first, last), min(first, last), last], volume)
        for n, (first, last, volume) in enumerate(rows)
    ]


@given(ROWS)
def test_whatever_the_candles_every_figure_is_finite_and_in_its_range(
    rows: list[tuple[Decimal, Decimal, Decimal]],
) -> None:
    part = part_of(KEY, candles_of(rows))
    seen = part.indicators
    assert all(math.isfinite(getattr(seen, name)) for name in FIELDS)
    assert 0 <= seen.rsi7 <= 100
    assert 0 <= seen.rsi14 <= 100
    assert seen.bollinger_lower <= seen.bollinger_middle <= seen.bollinger_upper
    assert min(seen.atr3, seen.atr14, seen.volatility, seen.volume_ratio) >= 0
    assert MarketPart.model_validate_json(part.model_dump_json()) == part


@pytest.mark.critical
@given(ROWS, st.integers(0, 40))
def test_no_later_candle_and_none_before_the_look_back_changes_anything(
    rows: list[tuple[Decimal, Decimal, Decimal]], later: int
) -> None:
    later = min(later, len(rows) - CANDLES_NEEDED)
    candles = candles_of(rows)
    known = candles[: len(candles) - later]
    key = KEY._replace(candle_ms=known[-1].open_ms + Bar.M5.length_ms)
    assert part_of(key, candles) == part_of(key, known) == part_of(key, known[-CANDLES_NEEDED:])
