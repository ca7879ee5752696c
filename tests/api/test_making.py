"""Bots asked for through the API: on record once, whoever is away and however often it is asked."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from oxbot.adapters.postgres.store import PostgresStore
from oxbot.adapters.redis.board import open_redis
from oxbot.adapters.redis.listing import RedisListing
from oxbot.messages import WriteLimits
from tests.api.answering import Answering, put_behind
from tests.api.conftest import serving
from tests.support.trading import BTC, INSTRUMENT

Json = dict[str, Any]  # Any: as JSON has it
BOT = {"name": "mine", "symbols": [BTC], "capital": "500"}
KEY = {"Idempotency-Key": "my first bot"}


@pytest.fixture
async def shop(database_url: str, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an API that knows what the venue lists; live trading is allowed."""
    redis = open_redis(redis_url)
    await RedisListing(redis).put("okx", {BTC: INSTRUMENT})
    await redis.aclose()
    keys = {"okx_api_key": "k", "okx_secret_key": "s", "okx_passphrase": "p"}
    async with serving(database_url, redis_url=redis_url, live="accepted", **keys) as client:
        yield client


async def test_a_bot_made_while_temporal_is_away_is_on_record_and_is_said_to_start_later(
    shop: httpx.AsyncClient, store: PostgresStore
) -> None:
    made = await shop.post("/bots", json=BOT, headers=KEY)
    assert made.status_code == 202, made.text
    assert [bot.id for bot in await store.bots()] == [made.json()["id"]]
    again = await shop.post("/bots", json=BOT, headers=KEY)
    assert (again.status_code, again.json()["id"]) == (202, made.json()["id"])
    without = await shop.post("/bots", json=BOT)
    assert without.status_code == 202
    assert len(await store.bots()) == 2


async def test_the_same_request_gives_the_same_bot_whatever_became_of_its_limits(
    shop: httpx.AsyncClient, store: PostgresStore
) -> None:
    put_behind(shop, Answering())
    answers = await asyncio.gather(*(shop.post("/bots", json=BOT, headers=KEY) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    [bot] = await store.bots()
    change = WriteLimits(bot_id=bot.id, epoch=2, by="Ann", reason="", limits={"stop": "2%"})
    await store.change_limits(change)
    again = await shop.post("/bots", json=BOT, headers=KEY)
    assert (again.status_code, again.json()["id"]) == (200, bot.id)
    other = await shop.post("/bots", json={**BOT, "capital": "501"}, headers=KEY)
    assert (other.status_code, len(await store.bots())) == (409, 1)


async def test_a_live_bot_is_not_made_without_a_key(
    shop: httpx.AsyncClient, store: PostgresStore
) -> None:
    refused = await shop.post("/bots", json={**BOT, "mode": "live"})
    assert refused.status_code == 422
    assert "Idempotency-Key" in refused.json()["detail"]
    assert await store.bots() == []
