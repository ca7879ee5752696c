"""What OKX lists: asked for once an hour by all processes together, through a real Redis."""

from collections.abc import AsyncIterator

import pytest

from oxbot import bootstrap
from oxbot.adapters.okx.client import OkxClient
from oxbot.adapters.okx.feed import OkxFeed
from oxbot.adapters.redis.board import open_redis
from oxbot.adapters.redis.listing import RedisListing
from oxbot.domain.errors import StoreUnavailable, VenueUnavailable
from oxbot.settings import Settings
from tests.activities.okx_server import (
    LocalOkx,
    connected,
    envelope,
    instrument,
    local_okx,
    text,
)

BTC, ETH = "BTC/USDT", "ETH/USDT"
NOWHERE = "redis://127.0.0.1:9"


@pytest.fixture
async def okx() -> AsyncIterator[LocalOkx]:
    async with local_okx() as server:
        yield server


@pytest.fixture
async def client(okx: LocalOkx) -> AsyncIterator[OkxClient]:
    async with connected(okx) as client:
        yield client


@pytest.fixture
async def shared(redis_url: str) -> AsyncIterator[RedisListing]:
    shared = RedisListing(open_redis(redis_url))
    yield shared
    await shared.close()


@pytest.fixture
async def away() -> AsyncIterator[RedisListing]:
    shared = RedisListing(open_redis(NOWHERE))
    yield shared
    await shared.close()


async def test_everything_in_usdt_is_listed_and_what_is_halted_says_so(
    okx: LocalOkx, client: OkxClient
) -> None:
    rows = [
        instrument(),
        instrument("ETH-USDT"),
        instrument("ETH-BTC"),
        instrument("OLD-USDT", state="suspend"),
        instrument("SOON-USDT", state="preopen"),
        instrument("MUTE-USDT", state=None),
        instrument("ODD-USDT", tickSz=""),
        {"instId": "btc-USDT"},
        None,
    ]
    okx.answers["public/instruments"] = envelope(rows)
    listed = await OkxFeed(client).listing()
    halted = {"OLD/USDT", "SOON/USDT", "MUTE/USDT"}
    assert {symbol for symbol, found in listed.items() if not found.live} == halted
    assert set(listed) == {BTC, ETH} | halted


async def test_a_halted_pair_is_still_known_by_its_steps(
    okx: LocalOkx, client: OkxClient, shared: RedisListing
) -> None:
    """A bot that holds it needs them, and its other coins must not suffer."""
    okx.answers["public/instruments"] = envelope(
        [instrument(), instrument("ETH-USDT", state="suspend")]
    )
    for _ in range(2):
        found = await OkxFeed(client, shared=shared).instruments([BTC, ETH])
        assert (found[BTC].live, found[ETH].live) == (True, False)


async def test_a_pair_whose_steps_cannot_be_read_is_no_unknown_one(
    okx: LocalOkx, client: OkxClient
) -> None:
    okx.answers["public/instruments"] = envelope([instrument(), instrument("ETH-USDT", lotSz="")])
    with pytest.raises(VenueUnavailable, match=r"ETH/USDT.*lotSz"):
        await OkxFeed(client).instruments([ETH])


async def test_many_processes_ask_okx_once(
    okx: LocalOkx, client: OkxClient, shared: RedisListing
) -> None:
    first = await OkxFeed(client, shared=shared).listing()
    for _ in range(5):
        feed = OkxFeed(client, shared=shared)
        assert await feed.listing() == first
        assert (await feed.instruments([BTC]))[BTC] == first[BTC]
    assert okx.paths == ["public/instruments"]


async def test_the_steps_survive_redis_to_the_last_digit(
    okx: LocalOkx, client: OkxClient, shared: RedisListing
) -> None:
    okx.answers["public/instruments"] = envelope([instrument(lotSz="0.00000001")])
    await OkxFeed(client, shared=shared).listing()
    assert str((await OkxFeed(client, shared=shared).listing())[BTC].lot) == "1E-8"


async def test_venues_do_not_share_their_lists(client: OkxClient, shared: RedisListing) -> None:
    await OkxFeed(client, venue="okx", shared=shared).listing()
    assert await shared.get("okx-simulated") is None


async def test_the_list_in_redis_ends_after_an_hour(client: OkxClient, redis_url: str) -> None:
    redis = open_redis(redis_url)
    await OkxFeed(client, shared=RedisListing(redis)).listing()
    [key] = [key async for key in redis.scan_iter("oxbot:listing:*")]
    assert 3_500 < await redis.ttl(key) <= 3_600
    await redis.aclose()


@pytest.mark.parametrize("kept", ["", "{", "[]", "{}", '{"BTC/USDT": {"tick": "1"}}'])
async def test_a_list_that_cannot_be_read_is_no_list(
    okx: LocalOkx, client: OkxClient, redis_url: str, kept: str
) -> None:
    redis = open_redis(redis_url)
    await redis.set("oxbot:listing:okx", kept)
    assert set(await OkxFeed(client, shared=RedisListing(redis)).listing()) == {BTC, ETH}
    assert okx.asked("public/instruments") == 1
    await redis.aclose()


async def test_without_redis_okx_is_asked(
    okx: LocalOkx, client: OkxClient, away: RedisListing
) -> None:
    with pytest.raises(StoreUnavailable):
        await away.get("okx")
    assert set(await OkxFeed(client, shared=away).listing()) == {BTC, ETH}


async def test_a_process_reads_the_list_again_every_hour(okx: LocalOkx, client: OkxClient) -> None:
    clock = {"s": 0.0}
    feed = OkxFeed(client, monotonic_s=lambda: clock["s"])
    await feed.listing()
    clock["s"] = 3_599.0
    await feed.listing()
    assert okx.asked("public/instruments") == 1
    okx.answers["public/instruments"] = envelope([instrument(tickSz="0.5")])
    clock["s"] = 3_600.0
    assert str((await feed.listing())[BTC].tick) == "0.5"
    assert okx.asked("public/instruments") == 2


async def test_an_old_list_serves_on_while_okx_is_away_and_is_not_asked_for_all_the_time(
    okx: LocalOkx, client: OkxClient
) -> None:
    clock = {"s": 0.0}
    feed = OkxFeed(client, monotonic_s=lambda: clock["s"])
    await feed.listing()
    okx.answers["public/instruments"] = text("<html>")
    clock["s"] = 4_000.0
    for _ in range(3):
        assert set(await feed.instruments([BTC])) == {BTC}
    assert okx.asked("public/instruments") == 2
    clock["s"] = 4_061.0
    await feed.listing()
    assert okx.asked("public/instruments") == 3


async def test_an_unknown_symbol_is_an_outage_while_okx_cannot_be_asked(
    okx: LocalOkx, client: OkxClient, shared: RedisListing
) -> None:
    """That it is not on an old list is no proof that it is not listed."""
    await OkxFeed(client, shared=shared).listing()
    okx.answers["public/instruments"] = text("<html>")
    feed = OkxFeed(client, shared=shared)
    for _ in range(2):
        with pytest.raises(VenueUnavailable):
            await feed.instruments(["NEW/USDT"])


async def test_a_pair_listed_since_the_list_was_shared_is_found(
    okx: LocalOkx, client: OkxClient, shared: RedisListing
) -> None:
    await OkxFeed(client, shared=shared).listing()
    okx.answers["public/instruments"] = envelope([instrument(), instrument("NEW-USDT")])
    assert set(await OkxFeed(client, shared=shared).instruments(["NEW/USDT"])) == {"NEW/USDT"}
    assert set(await OkxFeed(client, shared=shared).listing()) == {BTC, "NEW/USDT"}


def settings_of(okx: LocalOkx, redis_url: str) -> Settings:
    return Settings.model_validate(
        {
            "database_url": "postgresql://127.0.0.1:9/oxbot",
            "redis_url": redis_url,
            "temporal_address": "127.0.0.1:9",
            "okx_rest_url": okx.url,
            "simulator_url": None,
        }
    )


async def test_the_desk_takes_the_list_from_redis_and_asks_nobody(
    okx: LocalOkx, client: OkxClient, shared: RedisListing, redis_url: str
) -> None:
    await OkxFeed(client, shared=shared).listing()
    okx.paths.clear()
    async with bootstrap.open_desk(settings_of(okx, redis_url)) as desk:
        assert set(await desk.listing.listing()) == {BTC, ETH}
    assert okx.paths == []


async def test_the_desk_asks_okx_where_redis_has_no_list_and_shares_the_answer(
    okx: LocalOkx, shared: RedisListing, redis_url: str
) -> None:
    async with bootstrap.open_desk(settings_of(okx, redis_url)) as desk:
        assert set(await desk.listing.listing()) == {BTC, ETH}
        assert set(await shared.get("okx") or {}) == {BTC, ETH}
        await desk.listing.listing()
        assert okx.paths == ["public/instruments"]
        await desk.listing.listing(fresh=True)
    assert okx.paths == ["public/instruments"] * 2


async def test_the_desk_says_so_when_neither_redis_nor_okx_answers(okx: LocalOkx) -> None:
    okx.answers["public/instruments"] = text("<html>", 503)
    async with bootstrap.open_desk(settings_of(okx, NOWHERE)) as desk:
        with pytest.raises(VenueUnavailable):
            await desk.listing.listing()


async def test_the_desk_asks_okx_while_redis_is_away(okx: LocalOkx) -> None:
    async with bootstrap.open_desk(settings_of(okx, NOWHERE)) as desk:
        assert set(await desk.listing.listing()) == {BTC, ETH}
