"""The API process rings the alarm, on a real PostgreSQL; its limits are a twentieth of the real."""

import asyncio
import time
from collections.abc import AsyncIterator

import httpx
import pytest

from oxbot.adapters.postgres.store import PostgresStore
from oxbot.app import alarm
from oxbot.domain import alarm as limits
from oxbot.domain.orders import Purpose
from oxbot.records import Protection
from tests.api.conftest import PASSWORD, serving, signed_in
from tests.api.test_status import metrics
from tests.support.trading import BTC, NOW_MS, bought, intend, leave, new_bot


@pytest.fixture
async def api(
    database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setattr(limits, "WITHIN_MS", 500)
    monkeypatch.setattr(alarm, "LOOK_EVERY_S", 0.05)
    async with serving(database_url, redis_url=redis_url) as client:
        yield client


async def beat(store: PostgresStore, *, ago_ms: int = 0, stepped: bool = False) -> None:
    now_ms = time.time_ns() // 10**6
    await store.save_watch_marks("okx", {}, now_ms - ago_ms, stepped=stepped)


async def until_told(api: httpx.AsyncClient, *kinds: str) -> list[dict[str, str]]:
    """Wait until the bot's last events are these, newest first."""
    async with asyncio.timeout(30):
        while True:
            told: list[dict[str, str]] = (await api.get("/bots/b1/events")).json()["items"]
            if tuple(event["kind"] for event in told[: len(kinds)]) == kinds:
                return told
            await asyncio.sleep(0.02)


@pytest.mark.critical
async def test_a_position_that_nobody_watches_is_told_of_everywhere_and_so_is_the_end_of_it(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store)
    await bought(store)
    [event, *_] = await until_told(api, "unprotected")
    assert f"Nobody has watched {BTC} since" in event["text"]
    status = (await api.get("/status")).json()["protection"]
    assert status["unprotected"] == {"b1": [BTC]}
    assert (await metrics(api))["oxbot_unprotected_positions", ""] == 1
    assert f"no watch is at work. b1: {BTC}" in (await api.get("/")).text

    async def beats() -> None:
        while True:
            await beat(store)
            await asyncio.sleep(0.05)

    beating = asyncio.create_task(beats())
    told = await until_told(api, "protected again", "unprotected")
    assert "The watch is back" in told[0]["text"]
    status = (await api.get("/status")).json()["protection"]
    assert (status["unprotected"], status["positions"]) == ({}, 1)
    found = await metrics(api)
    assert (found["oxbot_unprotected_positions", ""], found["oxbot_open_positions", ""]) == (0, 1)
    assert "UNPROTECTED" not in (await api.get("/")).text
    beating.cancel()


@pytest.mark.critical
async def test_whose_bots_nobody_watches_and_which_trade_live_is_told_to_their_owners(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await api.put("/registration", json={"open": True})
    registered = await api.post("/register", json={"name": "bob", "password": PASSWORD})
    await new_bot(store, "b1")
    await new_bot(store, "b2", owner=registered.json()["id"])
    await new_bot(store, "l1", mode="live")
    await bought(store)
    await until_told(api, "unprotected")
    mine = (await api.get("/status")).json()
    assert (mine["protection"]["unprotected"], mine["live"]["bots"]) == ({"b1": [BTC]}, ["l1"])
    await signed_in(api, "bob")
    told = (await api.get("/status")).json()
    assert (told["protection"]["unprotected"], told["live"]["bots"]) == ({}, [])
    assert (told["protection"]["positions"], told["protection"]["since_ms"]) == (1, None)
    assert told["live"]["trouble"] is None
    page = (await api.get("/")).text
    assert "b2" in page
    for secret in ("UNPROTECTED", "LIVE BOTS", "b1", "l1"):
        assert secret not in page
    await bought(store, "b2")
    told = (await api.get("/status")).json()
    assert told["protection"]["unprotected"] == {"b2": [BTC]}


async def test_where_the_venue_stands_still_nobody_is_missed(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await beat(store, ago_ms=60_000, stepped=True)
    await new_bot(store)
    await bought(store)
    await asyncio.sleep(0)
    found = await metrics(api)
    assert found["oxbot_unprotected_positions", ""] == 0
    assert found["oxbot_watch_beat_age_seconds", ""] >= 60


async def test_metrics_have_how_long_protecting_took(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store)
    for version, took_ms in enumerate((40, 90, 3_000), start=1):
        order = leave("b1", version, "0.01")
        await intend(store, order)
        await store.finish_order(order, order.state.CANCELLED, "")
        await store.note_protection(
            Protection(
                bot_id="b1",
                symbol=BTC,
                opened_ms=NOW_MS,
                version=version,
                purpose=Purpose.STOP,
                crossed_ms=NOW_MS,
                seen_ms=NOW_MS,
                settled_ms=NOW_MS + took_ms,
                order_id=order.id,
            )
        )
    found = await metrics(api)
    assert found["oxbot_time_to_protect_seconds_count", ""] == 3
    assert found["oxbot_time_to_protect_seconds_sum", ""] == 3.13
    buckets = {
        limit: found["oxbot_time_to_protect_seconds_bucket", limit]
        for limit in ("0.025", "0.05", "0.1", "2.0", "5.0", "+Inf")
    }
    assert list(buckets.values()) == [0, 1, 2, 2, 3, 3]
