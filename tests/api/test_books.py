"""Whether a bot's books agree is asked for by itself, and keeps nobody from controlling bots."""

import asyncio
from decimal import Decimal
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from oxbot.adapters.postgres import audit
from oxbot.adapters.postgres.store import PostgresStore
from tests.api.answering import Answering, put_behind
from tests.api.conftest import signed_in
from tests.api.test_answers import said
from tests.api.test_everything import bobs
from tests.support.trading import bought, new_bot

Json = dict[str, Any]  # Any: as JSON has it


@pytest.fixture
async def traded(store: PostgresStore) -> PostgresStore:
    await new_bot(store)
    await bought(store)
    return store


async def spoil(engine: AsyncEngine, statement: str) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(statement))


async def books(api: httpx.AsyncClient) -> Json:
    answer = await api.get("/bots/b1/books")
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def test_books_that_agree_are_said_to(api: httpx.AsyncClient, traded: PostgresStore) -> None:
    found = await books(api)
    assert (found["agrees"], found["broken"], found["figures"]["fills"]) == (True, None, 1)
    assert found["figures"]["differences"] == []


async def test_what_differs_is_named_to_the_last_digit(
    api: httpx.AsyncClient,
    traded: PostgresStore,
    engine: AsyncEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await spoil(engine, "UPDATE bots SET cash = cash + 0.000000000001")
    found = await books(api)
    assert found["agrees"] is False
    [one] = found["figures"]["differences"]
    assert one["of"] == "cash"
    assert Decimal(one["stored"]) - Decimal(one["from_fills"]) == Decimal("0.000000000001")

    await spoil(engine, "UPDATE positions SET quantity = quantity / 2, fees = 0")
    named = [one["of"] for one in (await books(api))["figures"]["differences"]]
    assert named == ["cash", "position BTC/USDT fees", "position BTC/USDT quantity"]
    monkeypatch.setattr(audit, "TOLD", 1)
    found = await books(api)
    assert (found["figures"]["differing"], len(found["figures"]["differences"])) == (3, 1)


async def test_books_that_cannot_be_made_again_are_an_answer_and_the_bot_is_shown_all_the_same(
    api: httpx.AsyncClient, traded: PostgresStore, engine: AsyncEngine
) -> None:
    await spoil(engine, "UPDATE fills SET fee_currency = 'EUR'")
    found = await books(api)
    assert (found["agrees"], found["figures"]) == (False, None)
    assert found["broken"]
    assert (await api.get("/bots/b1")).status_code == 200


async def test_books_of_many_fills_are_made_again_piece_by_piece(
    api: httpx.AsyncClient, traded: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "PIECE", 1)
    for cycle, coin in enumerate(("ETH/USDT", "SOL/USDT"), start=2):
        await bought(traded, cycle=cycle, symbol=coin, quantity="0.001")
    assert (await books(api))["figures"]["fills"] == 3


async def test_anothers_books_are_not_found(api: httpx.AsyncClient, store: PostgresStore) -> None:
    await bobs(api, store)
    assert (await api.get("/bots/admins/books")).status_code == 200
    await signed_in(api, "bob")
    assert (await api.get("/bots/bobs/books")).status_code == 200
    assert (await api.get("/bots/admins/books")).status_code == 404


async def test_audits_that_take_long_take_no_connection_from_control_and_come_to_an_end(
    api: httpx.AsyncClient,
    traded: PostgresStore,
    engine: AsyncEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = cast("FastAPI", cast("httpx.ASGITransport", api._transport).app)
    pool = app.state.auditors._books._engine.pool
    monkeypatch.setattr("oxbot.app.audit.WITHIN_S", 2)
    monkeypatch.setattr("oxbot.app.audit.TURN_S", 0.1)
    put_behind(api, Answering(said("paused")))
    async with engine.begin() as connection:
        await connection.execute(text("LOCK TABLE ledger_entries IN ACCESS EXCLUSIVE MODE"))
        long = [asyncio.create_task(api.get("/bots/b1/books")) for _ in range(2)]
        async with asyncio.timeout(60):
            while pool.checkedout() < 2:  # noqa: ASYNC110 - a pool sets no event
                await asyncio.sleep(0.01)
        assert app.state.desk.store._engine.pool.checkedout() == 0
        third = await api.get("/bots/b1/books")
        assert (third.status_code, "other bots" in third.json()["detail"]) == (503, True)
        assert (await api.post("/bots/b1/pause")).status_code == 200
        for answer in await asyncio.gather(*long):
            assert answer.status_code == 503
            assert "oxbot audit ledger b1" in answer.json()["detail"]
    assert (await books(api))["agrees"] is True
