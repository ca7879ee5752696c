"""An account's stops as OKX tells of them, from the simulated OKX over ccxt's WebSocket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from decimal import Decimal

import pytest
from pydantic import SecretStr

from oxbot.adapters.okx.account_stream import OkxAccountNews
from oxbot.adapters.okx.place import ORDERS, STOPS, Place
from oxbot.domain.errors import VenueUnavailable
from oxbot.domain.resting import attached_id
from tests.support.live_trader import ID, KEYS, Trader, live_trader
from tests.support.simulated_account import PAIR, VenueClock

PATIENCE_S = 10


@pytest.fixture
async def trader() -> AsyncIterator[Trader]:
    async with live_trader() as found:
        yield found


def news_of(trader: Trader, channel: str = STOPS, **keys: SecretStr) -> OkxAccountNews:
    address = trader.simulator.url.replace("http", "ws")
    place = Place(ws_url=f"{address}/ws/v5", timeout_ms=2_000)
    return OkxAccountNews(channel, replace(KEYS, **keys), place, VenueClock(trader.simulator))


async def test_a_stop_that_is_triggered_or_cancelled_is_told(trader: Trader) -> None:
    await trader.end(await trader.order(stop=Decimal("0.03")))
    async with asyncio.timeout(PATIENCE_S), aclosing(news_of(trader).ended()) as batches:
        assert await anext(batches) == []
        begun = trader.simulator.last
        while trader.simulator.last > begun * Decimal("0.965"):
            trader.simulator.advance(60_000)
        await trader.simulator.balances()
        assert await anext(batches) == [attached_id(ID)]


async def test_what_lives_on_is_not_told(trader: Trader) -> None:
    async with asyncio.timeout(PATIENCE_S), aclosing(news_of(trader).ended()) as batches:
        await anext(batches)
        await trader.end(await trader.order())
        algos = (await trader.simulator.control("accounts/key1"))["algos"]
        await trader.simulator.okx.private_post_trade_cancel_algos(
            [{"instId": PAIR, "algoId": algos[0]["algoId"]}]
        )
        assert await anext(batches) == [attached_id(ID)]


async def test_an_order_that_was_filled_is_told(trader: Trader) -> None:
    async with asyncio.timeout(PATIENCE_S), aclosing(news_of(trader, ORDERS).ended()) as batches:
        assert await anext(batches) == []
        await trader.end(await trader.order())
        assert await anext(batches) == [ID]


async def test_a_wrong_key_is_refused_and_says_so(trader: Trader) -> None:
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(VenueUnavailable, match=r"refused to stream the account \(6000"):
            await anext(news_of(trader, secret=SecretStr("another")).ended())


async def test_a_connection_that_is_cut_is_told(trader: Trader) -> None:
    async with asyncio.timeout(PATIENCE_S), aclosing(news_of(trader).ended()) as batches:
        await anext(batches)
        trader.simulator.fault(kind="ws_drop", count=1)
        trader.simulator.advance(1_000)
        with pytest.raises(VenueUnavailable, match="was lost"):
            await anext(batches)
