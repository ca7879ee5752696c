"""What people and Prometheus are told of the market: ages, sources, gaps, circuit breakers."""

import time
from collections.abc import AsyncIterator
from decimal import Decimal

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from oxbot.adapters.postgres.store import PostgresStore
from oxbot.adapters.redis.board import RedisPriceBoard, open_redis
from oxbot.adapters.redis.breaker import RedisBreaker
from oxbot.domain.circuit import OPENS_AFTER
from oxbot.domain.feed import FeedSource, FeedStatus
from oxbot.domain.market import ClockReading
from tests.api.conftest import serving
from tests.support.trading import BTC, ETH, NOW_MS, new_bot, quote

OF_THE_MARKET = ("oxbot_price", "oxbot_feed", "oxbot_breaker")


def clock() -> ClockReading:
    """The venue stands at NOW_MS, whenever the test runs."""
    wall_ms = time.time_ns() // 10**6
    return ClockReading(venue_ms=NOW_MS, wall_ms=wall_ms, rate=Decimal(0), stepped=True)


def report(**changes: object) -> FeedStatus:
    wall_ms = time.time_ns() // 10**6
    plain = {
        "source": FeedSource.STREAM,
        "since_ms": wall_ms - 600_000,
        "reported_ms": wall_ms,
        "gaps": 3,
        "reconnects": 2,
        "symbols": (BTC,),
        "clock": clock(),
    }
    return FeedStatus.model_validate({**plain, **changes})


@pytest.fixture
async def api(database_url: str, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(database_url, redis_url=redis_url) as client:
        yield client


async def open_circuit(redis_url: str) -> None:
    client = open_redis(redis_url)
    now = clock()
    for _ in range(OPENS_AFTER):
        await RedisBreaker(client).failed("okx", now, "<no answer>", now.wall_ms)
    await client.aclose()


async def metrics(api: httpx.AsyncClient) -> dict[tuple[str, str], float]:
    """Scrape: value by name and the labels' values."""
    answer = await api.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, " ".join(sorted(sample.labels.values()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_status_gives_each_price_with_its_age_and_source(
    api: httpx.AsyncClient, board: RedisPriceBoard, store: PostgresStore
) -> None:
    await new_bot(store)
    await board.report("okx", report())
    await board.put("okx", [quote(at_ms=NOW_MS - 1_500), quote(ETH, "3000", at_ms=NOW_MS)])
    told = (await api.get("/status")).json()
    assert told["venue"] == "okx"
    assert told["feed"]["source"] == "stream"
    assert {s: (p["venue_age_ms"], p["source"]) for s, p in told["prices"].items()} == {
        BTC: (1_500, "test"),
        ETH: (0, "test"),
    }
    assert told["prices"][BTC]["bid"] == "60000"
    assert [(b["target"], b["phase"]) for b in told["breakers"]] == [("okx", "closed")]


async def test_without_a_watch_there_is_no_source_and_no_price_is_made_up(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store)
    told = (await api.get("/status")).json()
    assert (told["feed"], told["prices"]) == (None, {})
    assert (await metrics(api))["oxbot_feed_source", "none"] == 1
    assert "No price watch of okx has reported yet." in (await api.get("/")).text


@pytest.mark.critical
async def test_a_watch_that_reports_no_more_is_no_source(
    api: httpx.AsyncClient, board: RedisPriceBoard, store: PostgresStore
) -> None:
    await new_bot(store)
    await board.report("okx", report(reported_ms=time.time_ns() // 10**6 - 60_000))
    assert (await api.get("/status")).json()["feed"]["source"] == "none"
    found = await metrics(api)
    assert found["oxbot_feed_source", "stream"] == 0
    assert found["oxbot_feed_source", "none"] == 1
    assert "the price watch does not report" in (await api.get("/")).text


async def test_metrics_have_ages_source_gaps_and_breakers(
    api: httpx.AsyncClient, board: RedisPriceBoard, store: PostgresStore, redis_url: str
) -> None:
    await new_bot(store)
    await board.report("okx", report())
    await board.put("okx", [quote(at_ms=NOW_MS - 1_500)])
    found = await metrics(api)
    market = {key: value for key, value in found.items() if key[0].startswith(OF_THE_MARKET)}
    assert market == {
        ("oxbot_price_age_seconds", f"{BTC} test"): 1.5,
        ("oxbot_feed_source", "stream"): 1,
        ("oxbot_feed_source", "rest"): 0,
        ("oxbot_feed_source", "none"): 0,
        ("oxbot_feed_gaps_total", ""): 3,
        ("oxbot_feed_reconnects_total", ""): 2,
        ("oxbot_prices_too_old_total", ""): 0,
        ("oxbot_breaker_state", "okx"): 0,
    }
    await open_circuit(redis_url)
    assert (await metrics(api))["oxbot_breaker_state", "okx"] == 2


async def test_the_page_shows_ages_sources_and_an_open_circuit_as_text(
    api: httpx.AsyncClient, board: RedisPriceBoard, store: PostgresStore, redis_url: str
) -> None:
    await new_bot(store)
    await board.report("okx", report())
    await board.put("okx", [quote(at_ms=NOW_MS - 42_000)])
    await open_circuit(redis_url)
    page = (await api.get("/")).text
    assert "<td>BTC/USDT</td><td>60,000.00</td>" in page
    assert "<td>42 s</td><td>test</td>" in page
    assert "Prices of okx by stream for 10 min (3 gaps, 2 reconnects)." in page
    assert "okx is not asked: circuit open since" in page
    assert "&lt;no answer&gt;" in page


async def test_without_redis_the_bots_are_shown_and_the_rest_says_so(
    database_url: str, store: PostgresStore
) -> None:
    await new_bot(store)
    async with serving(database_url) as api:
        page = await api.get("/")
        assert page.status_code == 200
        assert "Redis does not answer" in page.text
        answer = await api.get("/metrics")
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        told = (await api.get("/status")).json()
        assert (told["feed"], told["prices"], told["breakers"]) == (None, {}, [])
        of_redis = {server["name"]: server for server in told["servers"]}["Redis"]
        assert (of_redis["answers"], of_redis["needed"]) == (False, False)
        assert "Redis does not answer" in of_redis["trouble"]


async def test_status_and_page_name_live_bots_and_what_they_lack(
    database_url: str, redis_url: str, store: PostgresStore
) -> None:
    async def seen(**settings: str) -> tuple[dict[str, object], str]:
        async with serving(database_url, redis_url=redis_url, **settings) as client:
            live = (await client.get("/status")).json()["live"]
            return live, (await client.get("/")).text

    key = {"okx_api_key": "k", "okx_secret_key": "s", "okx_passphrase": "p"}
    await new_bot(store, "p1")
    live, page = await seen()
    assert live == {"bots": [], "trouble": None}
    assert "p1, paper on okx" in page

    await new_bot(store, "b1", mode="live")
    live, page = await seen(live="accepted", **key)
    assert live == {"bots": ["b1"], "trouble": None}
    assert '<span class="bad">b1, LIVE on okx, REAL MONEY</span>' in page
    live, page = await seen(**key)
    assert live["bots"] == ["b1"]
    for told in (str(live["trouble"]), page):
        assert "LIVE BOTS WITHOUT A FIT ACCOUNT: b1. Live trading is off" in told
        assert "OXBOT_LIVE=accepted" in told
        assert "nothing is bought or sold for them" in told
