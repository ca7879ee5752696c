"""What the streams push: the HTTP side's rows, each change once, and nothing of the future."""

import json
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxbot.simulator.answers import CandlePage, book_row, candle_rows, ticker_row
from oxbot.simulator.timeframes import TIMEFRAMES
from oxbot.simulator.venue import Venue
from oxbot.simulator.ws_channels import Channels, Topic
from oxbot.simulator.ws_streams import BOOK_DEPTH, CATCH_UP, changes
from tests.support.examples import examples
from tests.unit.simulator.markets import (
    DAY_START_MS,
    STEP_MS,
    SYMBOL,
    random_rows,
    source_of,
    stepped_venue,
    with_rows,
)

HISTORY = 600
NOW_MS = DAY_START_MS + HISTORY * STEP_MS
SOURCE = source_of(random_rows(3, HISTORY + 700))
SWAP = f"{SYMBOL}-SWAP"
TOPICS = [
    *(Topic(channel, SYMBOL) for channel in ("tickers", "bbo-tbt", "books5", "books")),
    *(Topic(f"candle{bar}", SYMBOL) for bar in ("5m", "15m", "1H", "4H", "1D", "1Dutc")),
    *(Topic(channel, SWAP) for channel in ("tickers", "books5", "mark-price", "candle1H")),
    *(Topic(channel, SWAP) for channel in ("open-interest", "funding-rate")),
    Topic("instruments", "SPOT"),
]

steps = st.lists(st.integers(0, 3 * STEP_MS), min_size=1, max_size=12)


def venue_at(now_ms: int) -> Venue:
    return stepped_venue(SOURCE, now_ms)


def data(message: str | None) -> list[dict[str, object]]:
    assert message is not None
    rows = json.loads(message)["data"]
    assert isinstance(rows, list)
    return rows


def candles(message: str | None) -> list[list[str]]:
    rows: list[list[str]] = [] if message is None else json.loads(message)["data"]
    return rows


level = st.tuples(st.integers(1, 9), st.integers(1, 3)).map(lambda pair: [str(n) for n in pair])
side = st.lists(level, unique_by=lambda one: one[0], max_size=9)


@given(side, side)
def test_the_changes_turn_one_side_of_a_book_into_the_other(
    before: list[list[str]], after: list[list[str]]
) -> None:
    levels = dict(before)
    for price, size, *_ in changes(before, after):
        assert levels.get(price) != size
        if size == "0":
            del levels[price]
        else:
            levels[price] = size
    assert levels == dict(after)


@settings(max_examples=examples(25), deadline=None)
@given(steps)
def test_updates_applied_to_the_snapshot_give_the_book_of_the_http_side(waits: list[int]) -> None:
    venue = venue_at(NOW_MS)
    stream = Channels(venue).open(Topic("books", SYMBOL))
    now = NOW_MS
    stream.advance(now)
    (snapshot,) = data(stream.current())
    assert snapshot["prevSeqId"] == -1
    sides = {name: as_levels(snapshot[name]) for name in ("asks", "bids")}
    seq_id = snapshot["seqId"]
    for wait in waits:
        now += wait
        message = stream.advance(now)
        if message is not None:
            (update,) = data(message)
            assert (update["prevSeqId"], update["seqId"]) == (seq_id, now)
            assert update["checksum"] == 0
            seq_id = now
            sides = {
                name: without_gone(levels | as_levels(update[name]))
                for name, levels in sides.items()
            }
        book = book_row(venue.market, SYMBOL, BOOK_DEPTH, now)
        assert sides == {name: as_levels(book[name]) for name in ("asks", "bids")}


def without_gone(levels: dict[str, list[str]]) -> dict[str, list[str]]:
    return {price: rest for price, rest in levels.items() if rest[0] != "0"}


def as_levels(rows: object) -> dict[str, list[str]]:
    assert isinstance(rows, list)
    return {price: rest for price, *rest in rows}


def test_a_book_that_does_not_change_says_so_without_levels_under_the_same_number() -> None:
    stream = Channels(venue_at(NOW_MS)).open(Topic("books", SYMBOL))
    stream.advance(NOW_MS)
    assert stream.advance(NOW_MS) is None
    (update,) = data(stream.unchanged(NOW_MS + 5))
    assert (update["asks"], update["bids"], update["ts"]) == ([], [], str(NOW_MS + 5))
    assert update["seqId"] == update["prevSeqId"] == NOW_MS


@settings(max_examples=examples(50), deadline=None)
@given(st.sampled_from(["5m", "15m", "1H"]), steps)
def test_each_finished_candle_is_pushed_once_and_they_are_those_of_the_http_side(
    bar: str, waits: list[int]
) -> None:
    venue, frame = venue_at(NOW_MS), TIMEFRAMES[bar]
    stream = Channels(venue).open(Topic(f"candle{bar}", SYMBOL))
    now = NOW_MS
    rows = candles(stream.advance(now))
    for wait in waits:
        now += wait
        rows += candles(stream.advance(now))
        page = CandlePage(frame, None, None, 1, recent=False)
        assert [rows[-1]] == candle_rows(venue.market, SYMBOL, page, now)
    finished = [row for row in rows if row[-1] == "1"]
    page = CandlePage(frame, NOW_MS - frame.length_ms, None, 300, recent=False)
    past = candle_rows(venue.market, SYMBOL, page, now)[::-1]
    assert finished == [row for row in past if row[-1] == "1"]


def test_a_candle_that_has_not_changed_is_not_pushed_again() -> None:
    end = SOURCE.end_ms
    stream = Channels(stepped_venue(SOURCE, end)).open(Topic("candle5m", SYMBOL))
    assert [row[-1] for row in candles(stream.advance(end))] == ["1"]
    assert stream.advance(end) is None


def test_a_push_makes_up_for_no_more_than_so_many_candles() -> None:
    stream = Channels(venue_at(NOW_MS)).open(Topic("candle5m", SYMBOL))
    stream.advance(NOW_MS)
    rows = candles(stream.advance(NOW_MS + 400 * STEP_MS))
    assert len(rows) == CATCH_UP
    assert [row[-1] for row in rows] == ["1"] * (CATCH_UP - 1) + ["0"]


def test_a_candle_longer_than_the_market_is_old_says_nothing() -> None:
    venue = stepped_venue(SOURCE, DAY_START_MS + 1)
    stream = Channels(venue).open(Topic("candle1D", SYMBOL))
    assert stream.advance(DAY_START_MS + 1) is None
    assert stream.current() is None


def test_kinds_that_are_not_listed_say_nothing() -> None:
    stream = Channels(venue_at(NOW_MS)).open(Topic("instruments", "FUTURES"))
    assert stream.advance(NOW_MS) is None
    assert stream.current() is None


def test_a_ticker_of_which_only_the_time_changed_is_not_pushed() -> None:
    rows = random_rows(3, HISTORY + 2)
    rows[HISTORY:] = [rows[HISTORY, 0]] * 4 + [0]
    rows[: HISTORY - 288] = [*rows[HISTORY - 289, :4], 0]
    venue = stepped_venue(source_of(rows), NOW_MS)
    stream = Channels(venue).open(Topic("tickers", SYMBOL))
    assert data(stream.advance(NOW_MS)) == [ticker_row(venue.market, SYMBOL, NOW_MS)]
    assert stream.advance(NOW_MS + 1000) is None
    assert data(stream.current())[0]["ts"] == str(NOW_MS)


@pytest.mark.parametrize("wanted", TOPICS, ids=lambda wanted: f"{wanted.channel} {wanted.key}")
@settings(max_examples=examples(10), deadline=None)
@given(waits=steps, seed=st.integers(0, 99))
def test_nothing_that_is_pushed_depends_on_later_candles(
    wanted: Topic, waits: list[int], seed: int
) -> None:
    """Two markets agree up to the candle of the last push and differ in it and after it."""
    last = NOW_MS + sum(waits)
    known = (last - DAY_START_MS) // STEP_MS
    past = SOURCE.bars(SYMBOL, DAY_START_MS, DAY_START_MS + known * STEP_MS).rows
    count = HISTORY + 700 - known
    other = random_rows(seed, count)
    other[0, 0] = SOURCE.bars(SYMBOL, last - last % STEP_MS, last + 1).rows[0, 0]
    other[0, 1], other[0, 2] = other[0, :4].max(), other[0, :4].min()
    twin = with_rows(SOURCE, np.vstack([past, other]))
    streams = [Channels(stepped_venue(one, NOW_MS)).open(wanted) for one in (SOURCE, twin)]
    now = NOW_MS
    for wait in [0, *waits]:
        now = min(now + wait, last - last % STEP_MS)
        pushes = [stream.advance(now) for stream in streams]
        assert pushes[0] == pushes[1]


def test_prices_are_written_without_exponents() -> None:
    stream = Channels(venue_at(NOW_MS)).open(Topic("bbo-tbt", SYMBOL))
    (row,) = data(stream.advance(NOW_MS))
    for price, (size, *_) in (as_levels(row["asks"]) | as_levels(row["bids"])).items():
        assert Decimal(price) > 0
        assert "e" not in f"{price}{size}".lower()
