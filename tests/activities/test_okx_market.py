"""All prices at once, and what the perpetual swaps tell."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
import structlog

from oxbot.adapters.okx.client import OkxClient
from oxbot.adapters.okx.feed import OkxFeed
from oxbot.domain.errors import VenueUnavailable
from oxbot.domain.market import ClockReading
from tests.activities.okx_server import (
    NOW_MS,
    LocalOkx,
    connected,
    envelope,
    funding,
    local_okx,
    open_interest,
    ticker,
)

NOW = ClockReading(venue_ms=NOW_MS, wall_ms=1_000, rate=Decimal(30))


@pytest.fixture
async def okx() -> AsyncIterator[LocalOkx]:
    async with local_okx() as server:
        yield server


@pytest.fixture
async def client(okx: LocalOkx) -> AsyncIterator[OkxClient]:
    async with connected(okx) as client:
        yield client


async def test_all_pairs_in_usdt_cost_one_request_and_the_unusable_are_left_out(
    okx: LocalOkx, client: OkxClient
) -> None:
    rows = [
        ticker(),
        ticker("ETH-BTC"),
        ticker("DEAD-USDT", last=""),
        ticker("AHEAD-USDT", ts=str(NOW_MS + 1_000_000)),
        {"instId": None},
        "odd",
        ticker("ETH-USDT"),
    ]
    okx.answers["market/tickers"] = envelope(rows)
    quotes = await OkxFeed(client, wall_ms=lambda: 1_000).all_quotes(NOW)
    assert [quote.symbol for quote in quotes] == ["BTC/USDT", "ETH/USDT"]
    assert {quote.volume_24h for quote in quotes} == {Decimal("1234.5")}
    assert okx.paths == ["market/tickers"]


async def test_a_pair_without_a_price_is_logged_when_it_first_lacks_it(
    okx: LocalOkx, client: OkxClient
) -> None:
    feed = OkxFeed(client, wall_ms=lambda: 1_000)
    dead, well = ticker("DEAD-USDT", last=""), ticker("DEAD-USDT")
    with structlog.testing.capture_logs() as logs:
        for row in (dead, dead, well, dead, dead):
            okx.answers["market/tickers"] = envelope([ticker(), row])
            await feed.all_quotes(NOW)
    told = [log for log in logs if log["event"] == "pairs are without a usable price"]
    assert [log["first"] for log in told] == [["DEAD/USDT"]] * 2


async def test_no_usable_price_at_all_is_an_outage(okx: LocalOkx, client: OkxClient) -> None:
    okx.answers["market/tickers"] = envelope([ticker(last="0"), ticker("ETH-BTC")])
    with pytest.raises(VenueUnavailable, match="none of them is a price in USDT"):
        await OkxFeed(client).all_quotes(NOW)


async def test_a_perpetual_tells_the_rate_of_its_next_settlement_and_the_interest_in_coins(
    okx: LocalOkx, client: OkxClient
) -> None:
    perpetual = await OkxFeed(client, wall_ms=lambda: 1_000).perpetual("BTC/USDT", NOW)
    assert perpetual is not None
    assert perpetual.funding_rate == Decimal("-0.0000135")
    assert perpetual.next_funding_ms == NOW_MS + 3_600_000
    assert perpetual.open_interest == Decimal("30000.25")
    assert [request.query["instId"] for request in okx.requests] == ["BTC-USDT-SWAP"] * 2


@pytest.mark.parametrize("path", ["public/funding-rate", "public/open-interest"])
async def test_a_coin_without_a_perpetual_has_none(
    okx: LocalOkx, client: OkxClient, path: str
) -> None:
    okx.answers[path] = envelope([], "51001", "Instrument ID does not exist")
    assert await OkxFeed(client).perpetual("BTC/USDT", NOW) is None


BAD_PERPETUALS = {
    "no rate": ([funding(fundingRate="")], [open_interest()]),
    "a rate that is none": ([funding(fundingRate="NaN")], [open_interest()]),
    "no time": ([funding(fundingTime="")], [open_interest()]),
    "settled long ago": ([funding(fundingTime="1000")], [open_interest()]),
    "no interest": ([funding()], [open_interest(oiCcy=None)]),
    "an interest below 0": ([funding()], [open_interest(oiCcy="-1")]),
    "from the future": ([funding()], [open_interest(ts=str(NOW_MS + 1_000_000))]),
    "no funding row": ([], [open_interest()]),
    "no interest row": ([funding()], []),
    "no object": (["odd"], [open_interest()]),
}


@pytest.mark.parametrize(("rates", "held"), BAD_PERPETUALS.values(), ids=BAD_PERPETUALS.keys())
async def test_a_perpetual_that_cannot_be_read_is_an_outage_and_not_none(
    okx: LocalOkx, client: OkxClient, rates: list[object], held: list[object]
) -> None:
    okx.answers["public/funding-rate"] = envelope(rates)
    okx.answers["public/open-interest"] = envelope(held)
    with pytest.raises(VenueUnavailable):
        await OkxFeed(client, wall_ms=lambda: 1_000).perpetual("BTC/USDT", NOW)
