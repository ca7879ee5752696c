"""The server over HTTP: OKX's errors, and the control side."""

import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from hypothesis import given
from hypothesis import strategies as st

from oxbot.domain.errors import InputError
from oxbot.simulator.clock import ClockChange, Mode
from oxbot.simulator.control import parse_change, parse_object
from oxbot.simulator.made_up import made_up_pairs
from oxbot.simulator.server import create_app
from tests.unit.simulator.markets import (
    DAY_START_MS,
    STEP_MS,
    random_rows,
    source_of,
    stepped_venue,
)

Client = TestClient[Request, Application]

NOW_MS = DAY_START_MS + 90 * STEP_MS


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    venue = replace(stepped_venue(source_of(random_rows(1, 100)), NOW_MS), made_up=made_up_pairs(2))
    async with TestClient(TestServer(create_app(venue))) as client:
        yield client


async def body(response: ClientResponse) -> dict[str, object]:
    content = await response.json()
    assert isinstance(content, dict)
    return content


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("market/ticker?instId=DOGE-USDT", 200, "51001"),
        ("market/ticker?instId=ETH-USDT-SWAP", 200, "51001"),
        ("market/candles?instId=X0001-USDT&bar=5m", 200, "51001"),
        ("market/books?instId=X0001-USDT", 200, "51001"),
        ("public/instruments?instType=SPOT&instId=DOGE-USDT", 200, "51001"),
        ("public/funding-rate", 400, "50014"),
        ("public/funding-rate?instId=BTC-USDT", 400, "51000"),
        ("public/funding-rate-history?instId=BTC-USDT-SWAP&limit=0", 400, "51000"),
        ("public/open-interest", 400, "50014"),
        ("public/mark-price", 400, "50014"),
        ("public/mark-price?instId=X0001-USDT", 200, "51001"),
        ("market/ticker", 400, "50014"),
        ("market/candles?instId=BTC-USDT&bar=1m", 400, "51000"),
        ("market/candles?instId=BTC-USDT", 400, "51000"),
        ("market/candles?instId=BTC-USDT&bar=7m", 400, "51000"),
        ("market/candles?instId=BTC-USDT&bar=5m&limit=x", 400, "51000"),
        ("market/candles?instId=BTC-USDT&bar=5m&limit=0", 400, "51000"),
        ("market/candles?instId=BTC-USDT&bar=5m&before=-1", 400, "51000"),
        (f"market/candles?instId=BTC-USDT&bar=5m&after={'9' * 5000}", 400, "51000"),
        ("market/books?instId=BTC-USDT&sz=401", 400, "51000"),
        ("market/books?instId=BTC-USDT&sz=0", 400, "51000"),
        ("market/tickers?instType=TOYS", 400, "51000"),
        ("public/instruments", 400, "50014"),
        ("public/nothing", 404, "404"),
    ],
)
async def test_bad_requests_get_okxs_errors(
    client: Client, path: str, status: int, code: str
) -> None:
    response = await client.get(f"/api/v5/{path}")
    content = await body(response)
    assert (response.status, content["code"], content["data"]) == (status, code, [])
    assert content["msg"]


async def test_a_wrong_method_is_refused_as_okx_does(client: Client) -> None:
    response = await client.post("/api/v5/public/time")
    assert (response.status, (await body(response))["code"]) == (405, "50115")


async def test_every_number_is_a_string(client: Client) -> None:
    for path in (
        "public/time",
        "public/instruments?instType=SPOT",
        "market/tickers?instType=SPOT",
        "market/candles?instId=BTC-USDT&bar=5m&limit=2",
        "market/books?instId=BTC-USDT&sz=2",
        "public/instruments?instType=SWAP",
        "market/tickers?instType=SWAP",
        "market/candles?instId=BTC-USDT-SWAP&bar=5m&limit=2",
        "market/books?instId=BTC-USDT-SWAP&sz=2",
        "public/funding-rate?instId=ANY",
        "public/open-interest?instType=SWAP",
        "public/mark-price?instType=SWAP",
        "public/mark-price?instType=MARGIN",
    ):
        content = await body(await client.get(f"/api/v5/{path}"))
        assert (content["code"], content["msg"]) == ("0", "")
        assert content["data"]
        leaves = [content["data"]]
        while leaves:
            leaf = leaves.pop()
            assert isinstance(leaf, dict | list | str)
            if not isinstance(leaf, str):
                leaves += leaf.values() if isinstance(leaf, dict) else leaf


async def test_kinds_that_are_not_listed_are_empty(client: Client) -> None:
    for kind in ("FUTURES", "OPTION", "MARGIN"):
        for path in ("public/instruments", "market/tickers", "public/open-interest"):
            content = await body(await client.get(f"/api/v5/{path}?instType={kind}"))
            assert (content["code"], content["data"]) == ("0", [])


async def test_a_page_holds_100_candles_unless_asked_and_300_at_most(client: Client) -> None:
    async def rows(more: str) -> int:
        path = f"/api/v5/market/history-candles?instId=BTC-USDT&bar=5m{more}"
        data = (await body(await client.get(path)))["data"]
        assert isinstance(data, list)
        return len(data)

    assert await rows("") == 91
    assert await rows("&limit=500") == 91
    assert await rows("&limit=7") == 7
    assert await rows(f"&before={10**15 - 1}") == 0
    assert await rows("&after=1") == 0


async def test_the_clock_is_read_and_stepped(client: Client) -> None:
    reading = await body(await client.get("/control/clock"))
    assert reading == {
        "venue_ms": NOW_MS,
        "wall_ms": 0,
        "rate": "0",
        "mode": "stepped",
        "ended": False,
        "market": "test market",
    }
    stepped = await client.post("/control/clock", json={"advance_ms": STEP_MS})
    assert (await body(stepped))["venue_ms"] == NOW_MS + STEP_MS
    time = await body(await client.get("/api/v5/public/time"))
    assert time["data"] == [{"ts": str(NOW_MS + STEP_MS)}]
    ended = await client.post("/control/clock", json={"to_ms": NOW_MS + 10**9})
    assert (await body(ended))["ended"] is True


async def test_mode_and_rate_change_in_one_request(client: Client) -> None:
    response = await client.post("/control/clock", json={"mode": "speed", "rate": "12.50"})
    reading = await body(response)
    assert (reading["mode"], reading["rate"]) == ("speed", "12.5")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"speed": 2}',
        b'{"mode": "fast"}',
        b'{"mode": 1}',
        b'{"rate": true, "mode": "speed"}',
        b'{"rate": "x", "mode": "speed"}',
        b'{"rate": 1e999999, "mode": "speed"}',
        b'{"rate": -1, "mode": "speed"}',
        b'{"advance_ms": "5"}',
        b'{"advance_ms": -5}',
        b'{"advance_ms": 1.5}',
        b'{"to_ms": 1}',
        b"[" * 100_000,
    ],
)
async def test_a_bad_wish_is_answered_with_a_sentence_and_changes_nothing(
    client: Client, content: bytes
) -> None:
    response = await client.post("/control/clock", data=content)
    assert response.status == 400
    assert str((await body(response))["error"]).endswith(".")
    assert (await body(await client.get("/control/clock")))["venue_ms"] == NOW_MS


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from(["mode", "rate", "advance_ms", "to_ms", "x"]), json_values))
def test_any_json_is_a_wish_or_is_refused(content: dict[str, object]) -> None:
    with suppress(InputError):
        parse_change(parse_object(json.dumps(content).encode()))


def test_a_rate_is_read_without_a_float() -> None:
    assert parse_change(parse_object(b'{"mode": "speed", "rate": 0.1}')) == ClockChange(
        mode=Mode.SPEED, rate=Decimal("0.1")
    )


async def test_the_server_says_that_it_is_well(client: Client) -> None:
    assert (await client.get("/healthz")).status == 200
