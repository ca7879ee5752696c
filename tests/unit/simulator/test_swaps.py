"""Swaps, funding and open interest: synthetic, and true to the spot prices."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.simulator.answers import CandlePage, book_row, candle_rows, instrument_row, ticker_row
from oxbot.simulator.candles import CLOSE, HIGH, LOW, OPEN, VOLUME
from oxbot.simulator.instruments import INSTRUMENTS, SWAPS
from oxbot.simulator.market import Market
from oxbot.simulator.swap_answers import (
    FundingPage,
    funding_history_rows,
    funding_row,
    mark_price_row,
    open_interest_row,
)
from oxbot.simulator.swaps import PERIOD_MS, funding_rate
from oxbot.simulator.timeframes import TIMEFRAMES
from oxbot.simulator.waves import GRID_MS, Wave
from tests.unit.simulator.markets import DAY_START_MS, STEP_MS, random_rows, source_of

COUNT = 1000
SOURCE = source_of(random_rows(21, COUNT))
MARKET = Market(SOURCE, 7)
SPOT_ID, SWAP_ID = "BTC-USDT", "BTC-USDT-SWAP"
SWAP = SWAPS[SWAP_ID]
LAST_MS = DAY_START_MS + COUNT * STEP_MS
moments = st.integers(DAY_START_MS, LAST_MS)


@given(moments)
def test_a_swap_costs_spot_and_a_premium_of_few_basis_points(now_ms: int) -> None:
    spot, swap = (MARKET.price(symbol, now_ms) for symbol in (SPOT_ID, SWAP_ID))
    assert -0.0002 < (swap - spot) / spot < 0.0004


@given(moments, st.sampled_from(["5m", "1H", "4H"]))
def test_a_swaps_candles_hold_its_prices(now_ms: int, bar: str) -> None:
    page = CandlePage(TIMEFRAMES[bar], None, None, 3, recent=True)
    rows = candle_rows(MARKET, SWAP_ID, page, now_ms)
    last = ticker_row(MARKET, SWAP_ID, now_ms)["last"]
    assert rows[0][4] == last
    for row in rows:
        first, high, low, close = (Decimal(cell) for cell in row[1:5])
        assert low <= min(first, close) <= max(first, close) <= high


@given(moments)
def test_a_candles_volumes_are_contracts_coins_and_usdt(now_ms: int) -> None:
    page = CandlePage(TIMEFRAMES["1H"], None, None, 1, recent=True)
    row = candle_rows(MARKET, SWAP_ID, page, now_ms)[0]
    contracts, coins, usdt = (Decimal(cell) for cell in row[5:8])
    assert coins == contracts * Decimal("0.01")
    assert coins * Decimal(row[3]) <= usdt + 1
    assert usdt <= coins * Decimal(row[2])


def test_the_premium_is_one_number_through_a_candle() -> None:
    spot, swap = (
        MARKET.seen(symbol, DAY_START_MS, LAST_MS, LAST_MS).rows for symbol in (SPOT_ID, SWAP_ID)
    )
    lifts = swap[:, :VOLUME] - spot[:, :VOLUME]
    assert all(np.array_equal(lifts[:, OPEN], lifts[:, one]) for one in (HIGH, LOW, CLOSE))
    assert len(set(lifts[:, OPEN].tolist())) > 10
    ratio = swap[:, VOLUME].sum() * 0.0001 / (spot[:, VOLUME].sum() * 1e-8)
    assert ratio == pytest.approx(4, rel=0.01)


def test_prices_stay_above_zero_where_they_are_a_few_ticks() -> None:
    rows = np.ones((COUNT, 5), dtype=np.int64)
    rows[:, OPEN] = rows[:, HIGH] = 10**6
    market = Market(source_of(rows), 7)
    assert market.seen(SWAP_ID, DAY_START_MS, LAST_MS, LAST_MS).rows[:, LOW].min() == 1


def test_a_swaps_book_is_in_contracts_of_the_same_worth() -> None:
    book = book_row(MARKET, SWAP_ID, 400, DAY_START_MS)
    price, contracts = (Decimal(cell) for cell in book["bids"][0][:2])
    assert 0 <= 20_000 - price * contracts * Decimal("0.01") < price * Decimal("0.0001")
    assert contracts % SWAP.lot == 0


def test_the_five_swaps_are_listed_as_at_okx() -> None:
    listed = {
        name: tuple(row[field] for field in ("ctVal", "minSz", "lotSz", "tickSz", "uly"))
        for name, swap in SWAPS.items()
        if (row := instrument_row(swap, 0))["instType"] == "SWAP"
    }
    assert listed == {
        "BTC-USDT-SWAP": ("0.01", "0.01", "0.01", "0.1", "BTC-USDT"),
        "ETH-USDT-SWAP": ("0.1", "0.01", "0.01", "0.01", "ETH-USDT"),
        "SOL-USDT-SWAP": ("1", "0.01", "0.01", "0.01", "SOL-USDT"),
        "BNB-USDT-SWAP": ("0.01", "1", "1", "0.1", "BNB-USDT"),
        "XRP-USDT-SWAP": ("100", "0.01", "0.01", "0.0001", "XRP-USDT"),
    }


@pytest.mark.parametrize("coin", ["BTC", "ETH", "SOL", "BNB", "XRP"])
def test_a_swaps_lot_is_a_whole_number_of_its_pairs_lots(coin: str) -> None:
    swap, spot = SWAPS[f"{coin}-USDT-SWAP"], INSTRUMENTS[f"{coin}-USDT"]
    assert swap.coins(1) % spot.lot == 0
    assert swap.coins(1) >= spot.lot


@given(st.integers(0, 2**32), moments)
def test_funding_is_due_at_the_next_settlement_and_then_final(seed: int, now_ms: int) -> None:
    market = Market(SOURCE, seed)
    row = funding_row(market, SWAP, now_ms)
    due = int(row["fundingTime"])
    assert now_ms < due <= now_ms + PERIOD_MS
    assert due % PERIOD_MS == 0
    assert int(row["nextFundingTime"]) == due + PERIOD_MS
    assert abs(Decimal(row["fundingRate"])) <= Decimal("0.00035")
    final = funding_history_rows(market, SWAP, FundingPage(None, None, 1), due)
    settled = [one["realizedRate"] for one in final if one["fundingTime"] == str(due)]
    before_it_is_due = funding_row(market, SWAP, due - 1)["fundingRate"]
    assert settled in ([before_it_is_due], [])


def test_funding_changes_on_a_grid_of_five_minutes_only() -> None:
    rates = [funding_rate(7, "BTC", DAY_START_MS + PERIOD_MS, DAY_START_MS + second * 1000)
             for second in range(0, 1200, 10)]  # fmt: skip
    changes = [n * 10_000 for n in range(1, len(rates)) if rates[n] != rates[n - 1]]
    assert changes
    assert all(change % GRID_MS == 0 for change in changes)


bounds = st.none() | moments


@given(moments, bounds, bounds, st.integers(1, 20))
def test_a_page_of_settlements_is_the_newest_within_its_bounds(
    now_ms: int, before: int | None, after: int | None, limit: int
) -> None:
    rows = funding_history_rows(MARKET, SWAP, FundingPage(before, after, limit), now_ms)
    every = range(now_ms - now_ms % PERIOD_MS, DAY_START_MS + PERIOD_MS - 1, -PERIOD_MS)
    within = [
        due for due in every if (before is None or due > before) and (after is None or due < after)
    ]
    assert [int(row["fundingTime"]) for row in rows] == within[:limit]


@given(moments)
def test_open_interest_is_of_the_last_full_five_minutes(now_ms: int) -> None:
    row = open_interest_row(MARKET, SWAP, now_ms)
    as_of = int(row["ts"])
    assert as_of == now_ms - now_ms % GRID_MS
    assert row == open_interest_row(MARKET, SWAP, as_of)
    contracts, coins, usdt = (Decimal(row[name]) for name in ("oi", "oiCcy", "oiUsd"))
    assert coins == contracts * Decimal("0.01")
    assert 25_000 < coins < 35_000
    assert usdt == coins * SWAP.price(MARKET.price(SWAP_ID, as_of))


@given(moments)
def test_the_mark_price_is_the_last_price(now_ms: int) -> None:
    for listed, kind in ((SWAP, "SWAP"), (INSTRUMENTS[SPOT_ID], "MARGIN")):
        row = mark_price_row(MARKET, listed, now_ms)
        assert row["markPx"] == ticker_row(MARKET, listed.id, now_ms)["last"]
        assert (row["instType"], row["instId"]) == (kind, listed.id)


@given(st.integers(0, 2**32), st.integers(0, 10**13))
def test_a_wave_stays_between_its_heights_and_turns_only_at_its_spans_ends(
    seed: int, now_ms: int
) -> None:
    wave = Wave("test", 8 * GRID_MS, -50, 100)
    begin = now_ms - now_ms % wave.span_ms
    heights = [wave.at(seed, begin + n * GRID_MS) for n in range(9)]
    assert all(-50 <= height <= 100 for height in heights)
    assert heights in (sorted(heights), sorted(heights, reverse=True))
    assert wave.at(seed, now_ms) == wave.at(seed, now_ms - now_ms % GRID_MS)
    moments = begin + GRID_MS * np.arange(9, dtype=np.int64)
    assert wave.along(seed, moments).tolist() == heights
