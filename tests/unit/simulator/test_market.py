"""What the market shows at a moment: all that was, nothing that will be."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from oxbot.simulator.answers import CandlePage, book_row, candle_rows, ticker_row
from oxbot.simulator.candles import CLOSE, HIGH, LOW, OPEN, VOLUME
from oxbot.simulator.files import CandleFiles
from oxbot.simulator.market import Market
from oxbot.simulator.paths import Path, candle_path
from oxbot.simulator.timeframes import TIMEFRAMES
from tests.support.examples import examples
from tests.unit.simulator.markets import (
    DAY_START_MS,
    STEP_MS,
    SYMBOL,
    random_rows,
    source_of,
    with_rows,
)

COUNT = 150  # half a day: three candles of four hours and a part of one
moments = st.integers(DAY_START_MS, DAY_START_MS + COUNT * STEP_MS)
seeds = st.integers(0, 2**32)


def path_of(source: CandleFiles, opened_ms: int) -> Path:
    """The way of the price in the candle that opens at a moment, for the tests' seed."""
    row = source.bars(SYMBOL, opened_ms, opened_ms + 1).rows[0].tolist()
    return candle_path(7, SYMBOL, opened_ms, row, STEP_MS)


def everything_served(market: Market, now_ms: int) -> list[object]:
    """Each kind of answer at a moment."""
    pages = [
        candle_rows(market, SYMBOL, CandlePage(TIMEFRAMES[bar], None, None, 300, recent), now_ms)
        for bar in ("5m", "15m", "1H", "4H", "1Dutc")
        for recent in (True, False)
    ]
    return [ticker_row(market, SYMBOL, now_ms), book_row(market, SYMBOL, 5, now_ms), *pages]


@given(seeds, moments)
def test_nothing_served_depends_on_a_candle_that_has_not_begun(seed: int, now_ms: int) -> None:
    source = source_of(random_rows(seed, COUNT))
    begun = (now_ms - DAY_START_MS) // STEP_MS + 1
    other_future = np.vstack([source.series[SYMBOL].rows[:begun], random_rows(seed + 1, COUNT)])
    changed = with_rows(source, other_future[:COUNT])
    assert everything_served(Market(source, 7), now_ms) == everything_served(
        Market(changed, 7), now_ms
    )


@given(seeds, st.integers(0, COUNT - 1), st.integers(0, STEP_MS))
def test_until_an_extreme_is_on_its_way_nothing_served_but_volume_tells_of_it(
    seed: int, number: int, offset: int
) -> None:
    source = source_of(random_rows(seed, COUNT))
    opened = DAY_START_MS + number * STEP_MS
    path = path_of(source, opened)
    rows = source.series[SYMBOL].rows.copy()
    second = HIGH if path.ticks[2] == rows[number, HIGH] else LOW
    rows[number, second] += 1000 if second == HIGH else -1000
    now_ms = opened + min(offset, path.times[1])
    before, after = (
        Market(one, 7).seen(SYMBOL, DAY_START_MS, now_ms + 1, now_ms)
        for one in (source, with_rows(source, rows))
    )
    assert np.array_equal(before.rows[:, :VOLUME], after.rows[:, :VOLUME])


@given(seeds, moments, st.sampled_from(["5m", "15m", "1H", "4H"]))
def test_an_unfinished_candle_is_made_of_the_prices_shown_since_it_opened(
    seed: int, now_ms: int, bar: str
) -> None:
    source = source_of(random_rows(seed, COUNT))
    market, frame = Market(source, 7), TIMEFRAMES[bar]
    opened = frame.opens(market.newest_ms(now_ms))
    row = candle_rows(market, SYMBOL, CandlePage(frame, None, None, 1, recent=True), now_ms)[0]
    finished = source.bars(SYMBOL, opened, market.newest_ms(now_ms)).rows
    current = market.newest_ms(now_ms)
    corners = [current + offset for offset in path_of(source, current).times]
    shown = [
        market.price(SYMBOL, moment)
        for moment in [*(corner for corner in corners if corner <= now_ms), now_ms]
    ]
    prices = [int(float(cell) * 10 + 0.5) for cell in row[1:5]]
    assert row[0] == str(opened)
    assert prices[0] == market.price(SYMBOL, opened)
    assert prices[1] == max([*finished[:, HIGH], *shown])
    assert prices[2] == min([*finished[:, LOW], *shown])
    assert prices[3] == shown[-1]


@given(seeds, st.integers(0, COUNT * STEP_MS))
def test_high_low_and_volume_of_an_unfinished_candle_only_grow(seed: int, offset: int) -> None:
    market = Market(source_of(random_rows(seed, COUNT)), 7)
    now_ms = DAY_START_MS + offset
    begin = market.newest_ms(now_ms)
    earlier, later = (
        market.seen(SYMBOL, begin, begin + STEP_MS, moment).rows[-1]
        for moment in (begin + (now_ms - begin) // 2, now_ms)
    )
    assert earlier[HIGH] <= later[HIGH]
    assert earlier[LOW] >= later[LOW]
    assert earlier[VOLUME] <= later[VOLUME]


@given(seeds, moments)
def test_finished_candles_are_the_sources_own(seed: int, now_ms: int) -> None:
    source = source_of(random_rows(seed, COUNT))
    seen = Market(source, 7).seen(SYMBOL, DAY_START_MS, now_ms + 1, now_ms)
    finished = (now_ms - DAY_START_MS) // STEP_MS
    assert np.array_equal(seen.rows[:finished], source.series[SYMBOL].rows[:finished])


@settings(max_examples=examples(25))
@given(seeds, st.sampled_from(["15m", "1H", "4H"]))
def test_a_longer_candle_is_that_of_its_base_candles(seed: int, bar: str) -> None:
    source = source_of(random_rows(seed, COUNT))
    frame = TIMEFRAMES[bar]
    page = CandlePage(frame, None, None, 300, recent=True)
    for row in candle_rows(Market(source, 7), SYMBOL, page, source.end_ms):
        ts = int(row[0])
        base = source.bars(SYMBOL, ts, ts + frame.length_ms).rows
        expected = [base[0, OPEN], base[:, HIGH].max(), base[:, LOW].min(), base[-1, CLOSE]]
        assert [round(float(cell) * 10) for cell in row[1:5]] == expected
        assert round(float(row[5]) * 10**8) == base[:, VOLUME].sum()


def test_at_the_end_of_the_market_the_last_close_is_the_price_and_all_is_finished() -> None:
    source = source_of(random_rows(3, COUNT))
    market = Market(source, 7)
    page = CandlePage(TIMEFRAMES["5m"], None, None, 300, recent=True)
    rows = candle_rows(market, SYMBOL, page, source.end_ms)
    assert market.price(SYMBOL, source.end_ms) == source.series[SYMBOL].rows[-1, CLOSE]
    assert len(rows) == COUNT
    assert {row[8] for row in rows} == {"1"}
    assert ticker_row(market, SYMBOL, source.end_ms)["last"] == rows[0][4]


def test_a_ticker_sums_up_24_hours() -> None:
    source = source_of(random_rows(5, 400))
    now_ms = DAY_START_MS + 300 * STEP_MS
    day = source.bars(SYMBOL, now_ms - 288 * STEP_MS, now_ms).rows
    ticker = ticker_row(Market(source, 7), SYMBOL, now_ms)
    assert ticker["open24h"] == f"{day[0, OPEN] / 10:g}"
    assert round(float(ticker["high24h"]) * 10) == max(
        day[:, HIGH].max(), source.bars(SYMBOL, now_ms, now_ms + 1).rows[0, OPEN]
    )
    assert round(float(ticker["vol24h"]) * 10**8) == day[:, VOLUME].sum()
    assert ticker["ts"] == str(now_ms)


@given(st.integers(0, 999), st.lists(st.integers(0, 400 * STEP_MS), min_size=2, max_size=12))
def test_a_ticker_is_the_same_whatever_was_asked_for_before(seed: int, offsets: list[int]) -> None:
    source = source_of(random_rows(seed, 400))
    asked_often = Market(source, seed)
    for symbol in (SYMBOL, f"{SYMBOL}-SWAP"):
        for now_ms in (DAY_START_MS + offset for offset in offsets):
            alone = ticker_row(Market(source, seed), symbol, now_ms)
            assert ticker_row(asked_often, symbol, now_ms) == alone
