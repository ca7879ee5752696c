"""What bots hold: whose it is, at which price, with which stop, and what closing comes to."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from typer.testing import CliRunner

from oxbot.adapters.postgres.store import PostgresStore
from oxbot.adapters.redis.board import RedisPriceBoard
from oxbot.cli.main import app as oxbot
from oxbot.domain.errors import NotFound
from oxbot.domain.money import Notional, Price
from oxbot.domain.resting import StopState
from tests.api.conftest import Json, asked, serving, signed_in
from tests.support.trading import (
    BTC,
    ETH,
    INSTRUMENT,
    NOW_MS,
    bought,
    fill,
    intend,
    leave,
    new_bot,
    quote,
)

pytestmark = pytest.mark.critical


@pytest.fixture
async def api(database_url: str, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(database_url, redis_url=redis_url) as client:
        yield client


async def positions(api: httpx.AsyncClient, of: str = "/bots/b1") -> list[Json]:
    answer = await api.get(f"{of}/positions")
    assert answer.status_code == 200, answer.text
    items: list[Json] = answer.json()["items"]
    return items


async def sold(store: PostgresStore, price: str) -> Notional:
    """Sell what b1 holds at a price; what the round trip earned."""
    order = leave("b1", 2, "0.0999")
    await intend(store, order)
    await store.settle(order.id, [fill(order, price, at_ms=NOW_MS + 5_000)], INSTRUMENT)
    (trade,) = await store.trades("b1", 1)
    return trade.net_pnl


async def test_net_pnl_is_what_the_round_trip_earns_when_it_is_closed_at_that_price(
    api: httpx.AsyncClient, store: PostgresStore, board: RedisPriceBoard
) -> None:
    await new_bot(store)
    await bought(store)
    await board.put("okx", [quote(bid="61000", at_ms=NOW_MS + 1_000)])
    (held,) = await positions(api)
    assert (held["symbol"], held["quantity"], held["opened_ms"]) == (BTC, "0.0999", NOW_MS)
    assert (held["price"], held["price_ms"], held["price_source"]) == (
        "61000",
        NOW_MS + 1_000,
        "test",
    )
    assert Price(held["stop_price"]) == Price(57_900)
    assert Price(held["target_price"]) == Price(64_200)
    assert (held["mode"], held["resting_stop"]) == ("paper", None)
    assert held["net_pnl"] != held["unrealised"]
    assert Notional(held["net_pnl"]) == await sold(store, "61000")
    assert await positions(api) == []


async def test_an_older_price_of_the_board_does_not_stand_for_the_one_that_the_bot_saw(
    api: httpx.AsyncClient, store: PostgresStore, board: RedisPriceBoard
) -> None:
    await new_bot(store)
    await bought(store)
    await board.put("okx", [quote(bid="61000", at_ms=NOW_MS - 60_000)])
    (held,) = await positions(api)
    assert (held["price"], held["price_ms"]) == ("60000", NOW_MS)


async def test_without_redis_it_is_the_price_that_the_newest_cycle_saw(
    database_url: str, store: PostgresStore
) -> None:
    await new_bot(store)
    await bought(store)
    async with serving(database_url) as api:
        (held,) = await positions(api)
    assert held["price"] == "60000"


async def test_a_live_position_names_the_stop_that_rests_for_it_and_no_other(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store, mode="live")
    await bought(store)
    (stop,) = await store.resting_stops("b1")
    (held,) = await positions(api)
    assert (held["mode"], held["resting_stop"]) == ("live", stop.id)


async def test_everybody_sees_their_own_positions_by_pages_and_an_administrator_all(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await api.put("/registration", json={"open": True})
    bob = (await asked(api, "bob", "/register")).json()["id"]
    await new_bot(store, "a1", capital=20_000)
    await new_bot(store, "b1", owner=bob, capital=20_000)
    for bot_id in ("a1", "b1"):
        await bought(store, bot_id)
        await bought(store, bot_id, 2, symbol=ETH)
    every = [(held["bot_id"], held["symbol"]) for held in await positions(api, "")]
    assert every == [("b1", ETH), ("b1", BTC), ("a1", ETH), ("a1", BTC)]

    paged, query = [], {"limit": "3"}
    while query:
        page = (await api.get("/positions", params=query)).json()
        paged += [(held["bot_id"], held["symbol"]) for held in page["items"]]
        query = {"limit": "3", "cursor": page["next"]} if page["next"] else {}
    assert paged == every
    for cursor in ("1", "1.b1.BTC", "x.b1.BTC-USDT", "' OR 1=1", "999999999999999.b1.BTC-USDT"):
        assert (await api.get("/positions", params={"cursor": cursor})).status_code == 422

    await signed_in(api, "bob")
    assert {held["bot_id"] for held in await positions(api, "")} == {"b1"}
    assert (await api.get("/bots/a1/positions")).status_code == 404


async def test_the_command_line_shows_the_same(
    database_url: str,
    redis_url: str,
    store: PostgresStore,
    board: RedisPriceBoard,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await new_bot(store, mode="live")
    await bought(store)
    await board.put("okx", [quote(bid="61000", at_ms=NOW_MS + 1_000)])
    for name, value in (
        ("DATABASE_URL", database_url),
        ("REDIS_URL", redis_url),
        ("TEMPORAL_ADDRESS", "127.0.0.1:9"),
    ):
        monkeypatch.setenv(name, value)

    def said(*arguments: str) -> str:
        ran = CliRunner().invoke(oxbot, arguments, catch_exceptions=False)
        assert ran.exit_code == 0
        return ran.stdout

    every = json.loads(await asyncio.to_thread(said, "positions", "--json"))
    assert every == json.loads(await asyncio.to_thread(said, "bots", "positions", "b1", "--json"))
    (stop,) = await store.resting_stops("b1")
    shown = await asyncio.to_thread(said, "positions")
    assert "61,000.00" in shown
    assert f"b1, BTC: stop and target rest at the exchange ({stop.id})" in shown
    await store.note_stop(stop.id, StopState.ENDED)
    assert "NO STOP RESTS" in await asyncio.to_thread(said, "bots", "positions", "b1")
    assert Notional(every["items"][0]["net_pnl"]) == await sold(store, "61000")
    assert "No bot holds anything." in await asyncio.to_thread(said, "positions")
    with pytest.raises(NotFound, match="nobody"):
        await asyncio.to_thread(said, "bots", "positions", "nobody")
