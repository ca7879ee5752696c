"""The flight lock and the part cache on a real Redis."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from oxbot.adapters.redis.board import open_redis
from oxbot.adapters.redis.flight import RedisFlight
from oxbot.adapters.redis.parts import KEEP_S, RedisPartCache
from oxbot.domain.errors import StoreUnavailable, VenueUnavailable
from oxbot.domain.market import Bar, PartKey
from oxbot.domain.snapshots import part_keys
from tests.support.trading import BTC, CANDLE_END_MS, ETH, part

KEY = PartKey("okx", BTC, Bar.M5, CANDLE_END_MS)
NOWHERE = "redis://127.0.0.1:1"


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator["Redis"]:
    client = open_redis(redis_url)
    yield client
    await client.aclose()


@pytest.mark.critical
async def test_one_of_many_processes_holds_a_name_and_the_others_wait(
    client: "Redis", redis_url: str
) -> None:
    other = open_redis(redis_url)
    flights = (RedisFlight(client), RedisFlight(other))
    inside, most = 0, 0

    async def fly(number: int) -> None:
        nonlocal inside, most
        async with flights[number % 2].alone("x"):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(fly(number) for number in range(10)))
    await other.aclose()
    assert (inside, most) == (0, 1)
    assert await client.keys("oxbot:flight:*") == []


async def test_different_names_do_not_wait_for_each_other(client: "Redis") -> None:
    flight = RedisFlight(client)
    async with flight.alone("x"), flight.alone("y"):
        assert sorted(await client.keys("*")) == ["oxbot:flight:x", "oxbot:flight:y"]


async def test_work_that_takes_too_long_is_cut_off_and_others_get_their_turn(
    client: "Redis",
) -> None:
    flight = RedisFlight(client, work_s=0.01)
    with pytest.raises(VenueUnavailable, match="no answer for x"):
        async with flight.alone("x"):
            await asyncio.Event().wait()
    async with flight.alone("x"):
        pass


async def test_a_holder_that_died_blocks_nobody_for_good(client: "Redis") -> None:
    await client.set("oxbot:flight:x", "the dead", px=100)
    async with RedisFlight(client).alone("x"):
        pass


async def test_who_waits_too_long_says_that_another_is_at_it(client: "Redis") -> None:
    await client.set("oxbot:flight:x", "somebody")
    flight = RedisFlight(client)
    flight._wait_s = 0.05
    with pytest.raises(VenueUnavailable, match="Another process has been asking"):
        async with flight.alone("x"):
            raise AssertionError


async def test_a_failure_lets_others_in_and_stays_what_it_is(client: "Redis") -> None:
    flight = RedisFlight(client)
    for error in (VenueUnavailable("away"), TimeoutError()):
        with pytest.raises(type(error)) as caught:
            async with flight.alone("x"):
                raise error
        assert caught.value is error
    assert await client.keys("*") == []


async def test_a_lock_that_was_lost_meanwhile_leaves_the_next_holder_alone(
    client: "Redis",
) -> None:
    async with RedisFlight(client).alone("x"):
        await client.set("oxbot:flight:x", "the next")
    assert await client.get("oxbot:flight:x") == "the next"


async def test_without_redis_nobody_is_kept_waiting() -> None:
    away = open_redis(NOWHERE)
    async with RedisFlight(away).alone("x"), RedisFlight(away).alone("x"):
        pass
    with pytest.raises(StoreUnavailable):
        await RedisPartCache(away).get([KEY])
    with pytest.raises(StoreUnavailable):
        await RedisPartCache(away).put([part(KEY)])
    await away.aclose()


async def test_parts_come_back_exactly_and_live_as_long_as_their_candle_matters(
    client: "Redis",
) -> None:
    cache = RedisPartCache(client)
    keys = part_keys("okx", CANDLE_END_MS, [BTC, ETH])
    made = {key: part(key) for key in keys}
    await cache.put(made.values())
    assert await cache.get([*keys, KEY._replace(venue="sim")]) == made
    assert await cache.get([]) == {}
    for key in keys:
        name = f"oxbot:part:okx:{key.symbol}:{key.bar}:{key.candle_ms}"
        assert 0 < await client.ttl(name) <= KEEP_S[key.bar]


async def test_what_another_version_wrote_is_passed_over(client: "Redis") -> None:
    cache = RedisPartCache(client)
    await cache.put([part(KEY)])
    name = f"oxbot:part:okx:{BTC}:5m:{CANDLE_END_MS}"
    later = KEY._replace(candle_ms=CANDLE_END_MS + Bar.M5.length_ms)
    for text in ("{}", "not JSON", '{"venue": "okx"}', part(later).model_dump_json()):
        await client.set(name, text)
        assert await cache.get([KEY]) == {}


async def test_of_several_names_those_are_held_that_are_free_and_no_other_is_let_go(
    client: "Redis", redis_url: str
) -> None:
    other = open_redis(redis_url)
    async with RedisFlight(client).free(["x", "y"]) as first:
        async with RedisFlight(other).free(["y", "z"]) as second:
            assert (sorted(first), second) == (["x", "y"], ["z"])
        async with RedisFlight(other).free(["x", "y"]) as third:
            assert third == []
        assert sorted(await client.keys("*")) == ["oxbot:flight:x", "oxbot:flight:y"]
    assert await client.keys("*") == []
    await other.aclose()


async def test_who_waits_for_a_name_gets_it_when_the_holder_of_several_is_done(
    client: "Redis",
) -> None:
    flight, done = RedisFlight(client), list[str]()

    async def wait() -> None:
        async with flight.alone("x"):
            done.append("waited")

    async with flight.free(["x", "y"]):
        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0)
        done.append("held")
    await waiting
    assert done == ["held", "waited"]


async def test_a_holder_of_several_names_is_cut_off_like_any_other(client: "Redis") -> None:
    flight = RedisFlight(client, work_s=0.01)
    with pytest.raises(VenueUnavailable, match="no answer for x, y"):
        async with flight.free(["x", "y"]):
            await asyncio.sleep(60)
    assert await client.keys("*") == []


async def test_without_redis_all_names_are_given() -> None:
    away = open_redis(NOWHERE)
    async with RedisFlight(away).free(["x", "y"]) as held:
        assert held == ["x", "y"]
    await away.aclose()


async def test_the_locks_of_a_holder_of_several_that_died_end_before_who_waits_gives_up(
    client: "Redis",
) -> None:
    flight = RedisFlight(client)
    async with flight.free(["x", "y"]):
        for key in await client.keys("*"):
            assert 0 < await client.pttl(key) < flight._wait_s * 1000
