"""Rows that OKX would not send: none is repaired, none lets a None or a zero price through."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oxbot.adapters.okx.feed import OkxFeed
from oxbot.domain.errors import OxbotError, VenueUnavailable
from oxbot.domain.market import Candle, ClockReading, Instrument, Perpetual, Quote
from tests.activities.okx_server import (
    NOW_MS,
    LocalOkx,
    candle_rows,
    connected,
    envelope,
    instrument,
    local_okx,
    text,
    ticker,
)

pytestmark = pytest.mark.critical

NOW = ClockReading(venue_ms=NOW_MS, wall_ms=0, rate=Decimal(0))
PAGE = "<html><body><h1>We will be back soon</h1></body></html>"


@pytest.fixture
async def okx() -> AsyncIterator[LocalOkx]:
    async with local_okx() as server:
        yield server


async def test_an_empty_instrument_list_is_not_remembered(okx: LocalOkx) -> None:
    """A page under 200 must not leave the feed with no instruments for good."""
    healthy = okx.answers["public/instruments"]
    okx.answers["public/instruments"] = text(PAGE)
    async with connected(okx) as client:
        feed = OkxFeed(client)
        with pytest.raises(VenueUnavailable):
            await feed.instruments(["BTC/USDT"])
        okx.answers["public/instruments"] = healthy
        assert set(await feed.instruments(["BTC/USDT"])) == {"BTC/USDT"}


@pytest.mark.parametrize(
    "row", [1, "text", ["list"], {"instId": {}}, {"instId": None}, {}, instrument("X-Y", lever="x")]
)
async def test_an_odd_instrument_costs_no_other_its_listing(okx: LocalOkx, row: object) -> None:
    """ccxt's own load_markets fails as a whole over the last of these."""
    okx.answers["public/instruments"] = envelope([row, instrument()])
    async with connected(okx) as client:
        assert set(await OkxFeed(client).instruments(["BTC/USDT"])) == {"BTC/USDT"}


@pytest.mark.parametrize("field", ["tickSz", "lotSz", "minSz"])
@pytest.mark.parametrize("value", [None, "", "0", "-1", "NaN", "Infinity"])
async def test_an_instrument_without_its_steps_is_named(
    okx: LocalOkx, field: str, value: object
) -> None:
    okx.answers["public/instruments"] = envelope([instrument() | {field: value}])
    async with connected(okx) as client:
        with pytest.raises(VenueUnavailable, match="BTC/USDT"):
            await OkxFeed(client).instruments(["BTC/USDT"])


@pytest.mark.parametrize("field", ["bidPx", "askPx", "last", "ts"])
@pytest.mark.parametrize(
    "value", [None, "", "0", "0.0", "-1", "NaN", "Infinity", "abc", 1.5, 1, True, [], {}]
)
async def test_a_ticker_with_a_bad_field_is_refused_by_name(
    okx: LocalOkx, field: str, value: object
) -> None:
    okx.answers["market/tickers"] = envelope([ticker(), ticker("ETH-USDT") | {field: value}])
    async with connected(okx) as client:
        feed = OkxFeed(client)
        if field == "ts" and value == "0":
            assert (await feed.quotes(["ETH/USDT"], NOW))[0].age_ms(NOW_MS) == NOW_MS
            return
        with pytest.raises(VenueUnavailable, match="ETH/USDT"):
            await feed.quotes(["BTC/USDT", "ETH/USDT"], NOW)
        assert len(await feed.quotes(["BTC/USDT"], NOW)) == 1, "other coins keep their price"


async def test_a_symbol_missing_among_the_tickers_is_named(okx: LocalOkx) -> None:
    okx.answers["market/tickers"] = envelope([ticker()])
    async with connected(okx) as client:
        with pytest.raises(VenueUnavailable, match=r"ETH/USDT.*no price"):
            await OkxFeed(client).quotes(["BTC/USDT", "ETH/USDT"], NOW)


async def test_a_price_from_the_future_is_refused(okx: LocalOkx) -> None:
    """It would look fresh, and no later price could replace it, until that time has come."""
    async with connected(okx) as client:
        feed = OkxFeed(client)
        okx.answers["market/tickers"] = envelope([ticker(ts=str(NOW_MS + 5_000))])
        assert len(await feed.quotes(["BTC/USDT"], NOW)) == 1
        okx.answers["market/tickers"] = envelope([ticker(ts=str(NOW_MS + 5_001))])
        with pytest.raises(VenueUnavailable, match="5001 ms in the future"):
            await feed.quotes(["BTC/USDT"], NOW)


BAD_CANDLES: dict[str, object] = {
    "a row too short": [1, 2],
    "no row": None,
    "a price missing": [str(NOW_MS - 300_000), "", "110", "90", "105", "1", "1", "1", "1"],
    "a price of 0": [str(NOW_MS - 300_000), "0", "110", "0", "105", "1", "1", "1", "1"],
    "a float": [str(NOW_MS - 300_000), 100.0, "110", "90", "105", "1", "1", "1", "1"],
    "a time missing": [None, "100", "110", "90", "105", "1", "1", "1", "1"],
    "a high below the close": [
        str(NOW_MS - 300_000),
        "100",
        "104",
        "90",
        "105",
        "1",
        "1",
        "1",
        "1",
    ],
    "a low above the open": [str(NOW_MS - 300_000), "100", "110", "101", "105", "1", "1", "1", "1"],
    "a volume below 0": [str(NOW_MS - 300_000), "100", "110", "90", "105", "-1", "1", "1", "1"],
}


@pytest.mark.parametrize("bad", BAD_CANDLES.values(), ids=BAD_CANDLES.keys())
async def test_a_malformed_candle_is_refused(okx: LocalOkx, bad: object) -> None:
    okx.answers["market/candles"] = envelope([bad, *candle_rows(10)[1:]])
    async with connected(okx) as client:
        with pytest.raises(VenueUnavailable, match="BTC/USDT"):
            await OkxFeed(client).candles("BTC/USDT", 10, NOW_MS)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
NUMBERS = st.sampled_from(["0", "-1", "1", "0.1", "1e5", "-0", "NaN", "inf", "", "1E999", "\u0661"])
TIMES = st.just(str(NOW_MS)) | st.just(str(NOW_MS - 300_000)) | NUMBERS
FIELDS = ("bidPx", "askPx", "last", "vol24h", "tickSz", "lotSz", "minSz", "fundingRate", "oiCcy")
ROWS = st.fixed_dictionaries(
    {"instId": st.just("BTC-USDT")},
    optional=dict.fromkeys(FIELDS, NUMBERS | JSON)
    | dict.fromkeys(("ts", "fundingTime"), TIMES | JSON)
    | {"state": st.just("live") | JSON, "sCode": NUMBERS | JSON, "sMsg": JSON},
)
CANDLES = st.lists(TIMES | NUMBERS | JSON, max_size=3).flatmap(
    lambda odd: st.permutations([*odd, str(NOW_MS - 300_000), "2", "3", "1", "2", "1", "1", "1"])
)
DATA = st.lists(ROWS | CANDLES | JSON) | JSON
CODES = st.just("0") | st.sampled_from(["0", "1", "2", "50011", "51001"]) | JSON
BODIES = (
    st.builds(lambda code, data: {"code": code, "msg": code, "data": data}, CODES, DATA)
    | st.builds(lambda data: {"code": "0", "data": data}, DATA)
    | JSON
)


@given(body=BODIES)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
async def test_no_answer_whatever_lets_a_missing_or_nonpositive_figure_through(
    feed_of: tuple[LocalOkx, OkxFeed], body: object
) -> None:
    """Whatever OKX answers to all that it is asked: the project's own values, or its errors."""
    okx, feed = feed_of

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(body)

    listed = okx.answers["public/instruments"]
    okx.answers = dict.fromkeys(okx.answers, answer)
    for call in (
        lambda: feed.quotes(["BTC/USDT"], NOW),
        lambda: feed.all_quotes(NOW),
        lambda: feed.perpetual("BTC/USDT", NOW),
        lambda: feed.listing(fresh=True),
    ):
        _must_be_sound(await _answer_or_error(call))
    okx.answers["public/instruments"] = listed
    _must_be_sound(await _answer_or_error(lambda: feed.candles("BTC/USDT", 3, NOW_MS)))


async def _answer_or_error(call: Callable[[], Awaitable[object]]) -> object:
    try:
        return await call()
    except OxbotError:
        return None


def _must_be_sound(found: object) -> None:
    """Every figure is a Decimal that is a number; every price and step is above zero."""
    values = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    for value in values:
        assert isinstance(value, Quote | Candle | Instrument)
        for name, figure in value:
            if isinstance(figure, Decimal):
                assert figure.is_finite()
                assert figure > 0 or (figure == 0 and name.startswith("volume"))
    if isinstance(found, Perpetual):
        assert found.funding_rate.is_finite()
        assert found.open_interest >= 0


@pytest.fixture(scope="module")
async def feed_of() -> AsyncIterator[tuple[LocalOkx, OkxFeed]]:
    """A feed that asks for the list at every turn, as if a minute had passed."""
    minutes = itertools.count(0, 61)
    async with local_okx() as server, connected(server) as client:
        yield server, OkxFeed(client, wall_ms=lambda: 0, monotonic_s=lambda: float(next(minutes)))
