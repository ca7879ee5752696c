"""The way of the price inside one candle."""

from hypothesis import given
from hypothesis import strategies as st

from oxbot.simulator.paths import candle_path
from tests.unit.simulator.markets import DAY_START_MS, STEP_MS, SYMBOL, rows_of_a_candle

seeds = st.integers(0, 2**64)


@given(seeds, rows_of_a_candle(), st.integers(0, 2 * STEP_MS))
def test_a_price_never_leaves_its_candle(seed: int, row: list[int], offset: int) -> None:
    price = candle_path(seed, SYMBOL, DAY_START_MS, row, STEP_MS).price(offset)
    assert row[2] <= price <= row[1]


@given(seeds, rows_of_a_candle())
def test_a_candle_is_visited_from_open_over_both_extremes_to_close(
    seed: int, row: list[int]
) -> None:
    path = candle_path(seed, SYMBOL, DAY_START_MS, row, STEP_MS)
    assert path.price(0) == row[0]
    assert path.price(STEP_MS - 1) == row[3]
    assert path.price(STEP_MS) == row[3]
    assert path.extremes(STEP_MS - 1) == (row[1], row[2])
    assert {path.price(path.times[1]), path.price(path.times[2])} == {row[1], row[2]}


@given(seeds, rows_of_a_candle(), st.integers(0, 999))
def test_high_and_low_so_far_are_those_of_the_prices_shown_so_far(
    seed: int, row: list[int], offset: int
) -> None:
    path = candle_path(seed, SYMBOL, DAY_START_MS, row, step_ms=1000)
    shown = [path.price(moment) for moment in range(offset + 1)]
    assert path.extremes(offset) == (max(shown), min(shown))


@given(seeds, rows_of_a_candle(), st.integers(0, STEP_MS), st.data())
def test_until_the_second_extreme_nothing_tells_the_close(
    seed: int, row: list[int], offset: int, data: st.DataObject
) -> None:
    path = candle_path(seed, SYMBOL, DAY_START_MS, row, STEP_MS)
    moment = min(offset, path.times[2])
    other = [*row[:3], data.draw(st.integers(row[2], row[1])), row[4]]
    changed = candle_path(seed, SYMBOL, DAY_START_MS, other, STEP_MS)
    assert changed.price(moment) == path.price(moment)
    assert changed.extremes(moment) == path.extremes(moment)


def test_some_candles_go_up_first_and_some_down() -> None:
    row = [100, 200, 50, 120, 0]
    firsts = [
        candle_path(7, SYMBOL, DAY_START_MS + n * STEP_MS, row, STEP_MS).ticks[1]
        for n in range(1000)
    ]
    assert 400 < firsts.count(200) < 600


def test_the_same_seed_gives_the_same_way_and_another_seed_another() -> None:
    row = [100, 200, 50, 120, 0]
    first, again, other = (
        candle_path(seed, SYMBOL, DAY_START_MS, row, STEP_MS) for seed in (7, 7, 8)
    )
    assert first == again
    assert first != other
