"""What users may have who are no administrators: bots, intervals, and money for models."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from oxbot.adapters.postgres.store import PostgresStore
from oxbot.adapters.redis.board import open_redis
from oxbot.adapters.redis.listing import RedisListing
from oxbot.domain.bot import BotStatus
from oxbot.messages import WriteControl
from tests.api.conftest import asked, bearer, serving
from tests.support.trading import BTC, INSTRUMENT

Json = dict[str, Any]  # Any: as JSON has it
BOT: Json = {"name": "mine", "symbols": [BTC], "capital": "500"}
QWEN: Json = {**BOT, "provider": "dashscope", "model": "qwen-plus"}
MOST = 3
LOCAL = '{"llama": {"input_usd": "0", "output_usd": "0"}}'


@pytest.fixture
async def shop(database_url: str, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """The administrator's client of an API that lets users have three bots and 2 USD a day."""
    redis = open_redis(redis_url)
    await RedisListing(redis).put("okx", {BTC: INSTRUMENT})
    await redis.aclose()
    keys = {"dashscope_api_key": "k", "openai_base_url": "http://127.0.0.1:9", "model_cards": LOCAL}
    allowed = serving(
        database_url, redis_url=redis_url, user_bots=MOST, user_budget_usd="2", **keys
    )
    async with allowed as client:
        yield client


@pytest.fixture
async def bob(shop: httpx.AsyncClient) -> Json:
    """The headers of a user who is no administrator."""
    await shop.put("/registration", json={"open": True})
    await asked(shop, "bob", "/register")
    return bearer((await asked(shop, "bob")).json()["access_token"])


async def test_of_many_bots_asked_for_at_once_there_are_as_many_as_may_be(
    shop: httpx.AsyncClient, bob: Json, store: PostgresStore
) -> None:
    wishes = (shop.post("/bots", json=BOT, headers=bob) for _ in range(MOST * 3))
    answers = await asyncio.gather(*wishes)
    assert sorted(a.status_code for a in answers) == [202] * MOST + [409] * MOST * 2
    assert len(await store.bots()) == MOST
    refused = next(a for a in answers if a.status_code == 409).json()["detail"]
    assert "a user may have 3 (OXBOT_USER_BOTS)" in refused
    assert (await shop.post("/bots", json=BOT)).status_code == 202, "administrators are free"


async def test_a_request_that_comes_again_is_answered_when_there_is_no_room_any_more(
    shop: httpx.AsyncClient, bob: Json, store: PostgresStore
) -> None:
    for number in range(MOST):
        headers = {**bob, "Idempotency-Key": f"number {number}"}
        assert (await shop.post("/bots", json=BOT, headers=headers)).status_code == 202
    again = await shop.post("/bots", json=BOT, headers={**bob, "Idempotency-Key": "number 0"})
    assert again.status_code == 202
    other = await shop.post("/bots", json=BOT, headers={**bob, "Idempotency-Key": "number 9"})
    assert (other.status_code, len(await store.bots())) == (409, MOST)


async def test_an_archived_bot_makes_room_and_comes_back_only_while_there_is_some(
    shop: httpx.AsyncClient, bob: Json, store: PostgresStore
) -> None:
    made = [(await shop.post("/bots", json=BOT, headers=bob)).json()["id"] for _ in range(MOST)]
    for bot_id in made[:2]:
        await end(store, bot_id)
        assert (await shop.post(f"/bots/{bot_id}/archive", headers=bob)).status_code == 200
    assert (await shop.post("/bots", json=BOT, headers=bob)).status_code == 202
    back = (shop.post(f"/bots/{bot_id}/unarchive", headers=bob) for bot_id in made[:2])
    assert (await answered([shop.post("/bots", json=BOT, headers=bob), *back])).count(409) == 2
    assert len([bot for bot in await store.bots() if bot.archived_ms is None]) == MOST
    for bot_id in made[:2]:
        assert (await shop.post(f"/bots/{bot_id}/unarchive")).status_code == 200


async def answered(requests: list[Any]) -> list[int]:  # Any: coroutines of whatever kind
    return [answer.status_code for answer in await asyncio.gather(*requests)]


async def end(store: PostgresStore, bot_id: str) -> None:
    """Have the record say that a bot has stopped."""
    word = {"flatten": True, "by": "Bob", "reason": ""}
    change = {"bot_id": bot_id, "status": BotStatus.STOPPED, "epoch": 2, **word}
    await store.write_control(WriteControl.model_validate(change))


async def test_a_bot_that_decides_too_often_is_an_administrators(
    shop: httpx.AsyncClient, bob: Json, store: PostgresStore
) -> None:
    refused = await shop.post("/bots", json={**BOT, "interval_s": 59}, headers=bob)
    assert refused.status_code == 403
    assert "60 s or longer (OXBOT_USER_INTERVAL_S)" in refused.json()["detail"]
    assert await store.bots() == []
    at_most = await shop.post("/bots", json={**BOT, "interval_s": 60}, headers=bob)
    free = await shop.post("/bots", json={**BOT, "interval_s": 1})
    assert (at_most.status_code, free.status_code) == (202, 202)


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        (QWEN, 403),
        ({**QWEN, "budget_usd": "2.01"}, 403),
        ({**QWEN, "budget_usd": "2"}, 202),
        ({**BOT, "provider": "openai", "model": "nobody-knows"}, 403),
        ({**BOT, "provider": "openai"}, 403),
        ({**BOT, "provider": "openai", "model": "llama"}, 202),
        ({**BOT, "fallbacks": [{"provider": "dashscope", "model": "qwen-max"}]}, 403),
        (BOT, 202),
    ],
)
async def test_a_model_that_costs_money_takes_a_budget(
    shop: httpx.AsyncClient, bob: Json, wish: Json, status: int
) -> None:
    answer = await shop.post("/bots", json=wish, headers=bob)
    assert answer.status_code == status, answer.text
    if status == 403:
        assert "budget_usd of at most 2 USD a day (OXBOT_USER_BUDGET_USD)" in answer.text
    assert (await shop.post("/bots", json=wish)).status_code == 202, "administrators are free"


async def test_bots_made_at_once_may_not_spend_more_together_than_one_may(
    shop: httpx.AsyncClient, bob: Json
) -> None:
    wish = {**QWEN, "budget_usd": "1.5"}
    answers = await answered([shop.post("/bots", json=wish, headers=bob) for _ in range(3)])
    assert sorted(answers) == [202, 409, 409]
    assert (await shop.post("/bots", json=BOT, headers=bob)).status_code == 202


async def test_budgets_raised_at_once_may_not_be_more_together_than_one_may(
    shop: httpx.AsyncClient, bob: Json, store: PostgresStore
) -> None:
    wish = {**QWEN, "budget_usd": "0.5"}
    made = [(await shop.post("/bots", json=wish, headers=bob)).json()["id"] for _ in range(3)]
    raised = [changed(shop, bot_id, bob, budget_usd="1") for bot_id in made]
    assert sorted(await answered(raised)) == [200, 409, 409]
    spend = [bot.settings.budget_usd or 0 for bot in await store.bots()]
    assert sum(spend) == 2


async def changed(
    shop: httpx.AsyncClient, bot_id: str, headers: Json, **settings: object
) -> httpx.Response:
    asked_for = {"settings": settings}
    return await shop.patch(f"/bots/{bot_id}/settings", json=asked_for, headers=headers)


async def test_what_a_model_costs_is_looked_at_where_who_decides_or_the_budget_changes(
    shop: httpx.AsyncClient, bob: Json, store: PostgresStore
) -> None:
    bot_id = (await shop.post("/bots", json=BOT, headers=bob)).json()["id"]
    dear = {"provider": "dashscope", "model": "qwen-plus"}
    refused = await changed(shop, bot_id, bob, **dear)
    assert (refused.status_code, refused.json()["detail"][:20]) == (403, "Nothing was changed:")
    assert (await store.bot(bot_id)).settings.provider == "baseline"
    assert (await changed(shop, bot_id, bob, **dear, budget_usd="1")).status_code == 200
    assert (await changed(shop, bot_id, bob, budget_usd=None)).status_code == 403
    free = await changed(shop, bot_id, {}, budget_usd=None)
    assert free.status_code == 200, "administrators are free"
    assert (await changed(shop, bot_id, bob, name="calm")).status_code == 200
