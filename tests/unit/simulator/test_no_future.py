"""No answer of any endpoint depends on what happens after its moment."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from oxbot.simulator.candles import CLOSE, HIGH, LOW, Rows
from oxbot.simulator.clock import ClockChange
from oxbot.simulator.made_up import made_up_pairs
from oxbot.simulator.okx import API
from oxbot.simulator.server import create_app
from oxbot.simulator.venue import Venue
from tests.unit.simulator.markets import (
    DAY_START_MS,
    STEP_MS,
    random_rows,
    source_of,
    stepped_venue,
)

Client = TestClient[Request, Application]

COUNT = 700
"""Candles: two days and a half, so that funding is settled and 24 hours are full."""

BOTH = ("instId=BTC-USDT", "instId=BTC-USDT-SWAP")
CANDLES = tuple(f"{one}&bar={bar}&limit=300" for one in BOTH for bar in ("5m", "1H", "4H", "1D"))
KINDS = ("instType=SPOT", "instType=SWAP")

QUESTIONS: dict[str, tuple[str, ...]] = {
    "public/time": ("",),
    "public/instruments": KINDS,
    "public/funding-rate": ("instId=BTC-USDT-SWAP", "instId=ANY"),
    "public/funding-rate-history": ("instId=BTC-USDT-SWAP",),
    "public/open-interest": ("instType=SWAP", "instType=SWAP&instId=BTC-USDT-SWAP"),
    "public/mark-price": ("instType=SWAP", "instType=MARGIN"),
    "market/tickers": KINDS,
    "market/ticker": (*BOTH, "instId=X0001-USDT"),
    "market/candles": CANDLES,
    "market/history-candles": CANDLES,
    "market/books": tuple(f"{one}&sz=400" for one in BOTH),
}


@asynccontextmanager
async def served(rows: Rows, now_ms: int) -> AsyncIterator[tuple[Client, Venue]]:
    """A venue that stands still at a moment of a market, and a client of it."""
    venue = replace(stepped_venue(source_of(rows), now_ms), made_up=made_up_pairs(2))
    async with TestClient(TestServer(create_app(venue))) as client:
        yield client, venue


PUBLIC = (f"{API}public/", f"{API}market/")
"""Where the endpoints begin that need no key."""


async def everything(client: Client) -> dict[str, str]:
    """The answer to each question."""
    paths = [f"{API}{path}?{query}" for path, queries in QUESTIONS.items() for query in queries]
    return {path: await (await client.get(path)).text() for path in paths}


async def test_each_public_endpoint_is_asked() -> None:
    async with served(random_rows(1, COUNT), DAY_START_MS) as (client, _):
        paths = {resource.canonical for resource in client.app.router.resources()}
    public = {path.removeprefix(API) for path in paths if path.startswith(PUBLIC)}
    assert public == set(QUESTIONS)


@pytest.mark.parametrize("seed", range(4))
async def test_two_markets_that_agree_up_to_now_answer_alike(seed: int) -> None:
    """They differ from the next candle on; each is asked on the way to the candle's end."""
    begun = 300 + 97 * seed
    rows, other = random_rows(seed, COUNT), random_rows(seed + 100, COUNT)
    other[:begun] = rows[:begun]
    opened_ms = DAY_START_MS + (begun - 1) * STEP_MS
    async with AsyncExitStack() as stack:
        sides = [await stack.enter_async_context(served(each, opened_ms)) for each in (rows, other)]
        for offset in (0, 1, STEP_MS // 3, STEP_MS - 1):
            for _, venue in sides:
                venue.clock.change(ClockChange(to_ms=opened_ms + offset))
            first, second = [await everything(client) for client, _ in sides]
            assert first == second
        for _, venue in sides:
            venue.clock.change(ClockChange(advance_ms=2 * STEP_MS))
        first, second = [await everything(client) for client, _ in sides]
        assert first != second


@pytest.mark.parametrize("offset", [0, STEP_MS // 10])
async def test_while_a_candle_is_on_its_way_to_a_turn_its_close_is_in_no_answer(
    offset: int,
) -> None:
    rows = random_rows(5, COUNT)
    other = rows.copy()
    middle = (rows[400, HIGH] + rows[400, LOW]) // 2
    other[400, CLOSE] = middle if rows[400, CLOSE] != middle else middle + 1
    now_ms = DAY_START_MS + 400 * STEP_MS + offset
    async with served(rows, now_ms) as (one, _), served(other, now_ms) as (two, _):
        assert await everything(one) == await everything(two)
