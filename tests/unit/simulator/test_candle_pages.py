"""Pages of candles, as OKX's before, after and limit cut them."""

from hypothesis import given
from hypothesis import strategies as st

from oxbot.simulator.answers import RECENT, CandlePage, candle_rows
from oxbot.simulator.market import Market
from oxbot.simulator.timeframes import TIMEFRAMES
from tests.unit.simulator.markets import DAY_START_MS, STEP_MS, SYMBOL, random_rows, source_of

COUNT = 1700
MARKET = Market(source_of(random_rows(11, COUNT)), 7)
NOW_MS = DAY_START_MS + 1600 * STEP_MS + 1000

anywhere = st.integers(DAY_START_MS - 10**7, NOW_MS + 10**7)
opens = st.integers(-5, COUNT // 12 + 5).map(lambda hour: DAY_START_MS + hour * 12 * STEP_MS)
bounds = st.none() | anywhere | opens


def opened(page: CandlePage) -> list[int]:
    return [int(row[0]) for row in candle_rows(MARKET, SYMBOL, page, NOW_MS)]


@given(st.sampled_from(["5m", "1H", "4H", "1D"]), bounds, bounds, st.integers(1, 300))
def test_a_page_is_the_newest_candles_within_its_bounds_newest_first(
    bar: str, before: int | None, after: int | None, limit: int
) -> None:
    frame = TIMEFRAMES[bar]
    first = frame.first_whole(DAY_START_MS)
    every = range(frame.opens(NOW_MS), first - 1, -frame.length_ms)
    within = [
        ts for ts in every if (before is None or ts > before) and (after is None or ts < after)
    ]
    assert opened(CandlePage(frame, before, after, limit, recent=False)) == within[:limit]


@given(st.integers(1, 300))
def test_paging_backwards_meets_every_candle_once(limit: int) -> None:
    frame, met, after = TIMEFRAMES["15m"], list[int](), None
    while page := opened(CandlePage(frame, None, after, limit, recent=False)):
        assert after is None or page[0] < after
        met += page
        after = page[-1]
    assert met == list(range(frame.opens(NOW_MS), DAY_START_MS - 1, -frame.length_ms))


def test_recent_candles_end_where_history_begins() -> None:
    frame = TIMEFRAMES["5m"]
    oldest = frame.opens(NOW_MS) - (RECENT - 1) * STEP_MS
    assert opened(CandlePage(frame, None, oldest + 1, 300, recent=True)) == [oldest]
    assert opened(CandlePage(frame, None, oldest, 300, recent=True)) == []
    assert opened(CandlePage(frame, None, oldest, 300, recent=False))[0] == oldest - STEP_MS


def test_only_the_candle_under_way_is_unconfirmed() -> None:
    for bar in ("5m", "1H", "4H"):
        page = CandlePage(TIMEFRAMES[bar], None, None, 5, recent=True)
        rows = candle_rows(MARKET, SYMBOL, page, NOW_MS)
        assert [row[8] for row in rows] == ["0", "1", "1", "1", "1"]


@given(
    st.sampled_from([SYMBOL, f"{SYMBOL}-SWAP"]),
    st.sampled_from(["5m", "1H", "4H", "1D"]),
    st.lists(st.integers(DAY_START_MS, NOW_MS), min_size=1, max_size=5),
    st.integers(1, 300),
)
def test_what_was_asked_for_before_and_when_changes_no_candle(
    symbol: str, bar: str, moments: list[int], limit: int
) -> None:
    page = CandlePage(TIMEFRAMES[bar], None, None, limit, recent=False)
    for now_ms in moments:
        fresh = Market(MARKET.source, MARKET.seed)
        asked = candle_rows(MARKET, symbol, page, now_ms)
        assert asked == candle_rows(fresh, symbol, page, now_ms)
