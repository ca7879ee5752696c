"""What a client sees of each fault, over a real connection, and the hand on the rules."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp import (
    ClientConnectionError,
    ClientPayloadError,
    ClientResponse,
    ClientTimeout,
    ServerDisconnectedError,
)
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from oxbot.simulator.clock import ClockChange
from oxbot.simulator.fault_answers import LOOKS_EVERY_S
from oxbot.simulator.fault_rules import parse_rules
from oxbot.simulator.rate_limits import PUBLISHED, RateLimits
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
Json = dict[str, object]

NOW_MS = DAY_START_MS + 90 * STEP_MS
TICKER = "/api/v5/market/ticker?instId=BTC-USDT"
TIME = "/api/v5/public/time"


@pytest.fixture
def venue() -> Venue:
    return stepped_venue(source_of(random_rows(1, 100)), NOW_MS)


@pytest.fixture
async def client(venue: Venue) -> AsyncIterator[Client]:
    async with TestClient(TestServer(create_app(venue))) as client:
        yield client


def strike(venue: Venue, kind: str, **more: object) -> None:
    venue.faults.add(parse_rules({"kind": kind, **more}), venue.clock.now())


async def body(response: ClientResponse) -> Json:
    content = await response.json()
    assert isinstance(content, dict)
    return content


async def row(client: Client, path: str) -> Json:
    data = (await body(await client.get(path)))["data"]
    assert isinstance(data, list)
    assert isinstance(data[0], dict)
    return data[0]


async def test_a_timeout_never_answers_and_ends_when_the_client_leaves(
    venue: Venue, client: Client
) -> None:
    strike(venue, "timeout", count=1)
    before = len(asyncio.all_tasks())
    with pytest.raises(TimeoutError):
        await client.get(TICKER, timeout=ClientTimeout(total=0.2))
    assert (await client.get(TICKER)).status == 200
    new = 1  # the new connection's task
    while len(asyncio.all_tasks()) > before + new:  # noqa: ASYNC110 - a task's end tells nobody
        await asyncio.sleep(LOOKS_EVERY_S)


async def test_a_reset_is_a_connection_that_breaks_before_an_answer(
    venue: Venue, client: Client
) -> None:
    strike(venue, "reset", count=1)
    with pytest.raises((ConnectionResetError, ServerDisconnectedError, ClientConnectionError)):
        await client.get(TICKER)
    assert (await client.get(TICKER)).status == 200


async def test_a_truncated_answer_announces_more_than_it_sends(
    venue: Venue, client: Client
) -> None:
    whole = await (await client.get(TICKER)).read()
    strike(venue, "truncated", count=1)
    response = await client.get(TICKER)
    assert response.headers["Content-Length"] == str(len(whole))
    with pytest.raises(ClientPayloadError):
        await response.read()


@pytest.mark.parametrize(
    ("kind", "status", "content_type", "begins"),
    [
        ("html", 200, "text/html", "<!DOCTYPE html>"),
        ("http_502", 502, "text/html", "<!DOCTYPE html>"),
        ("http_429", 429, "text/plain", "Too Many Requests"),
        ("empty", 200, "application/json", '{"code": "0", "msg": "", "data": []}'),
        ("maintenance", 503, "application/json", '{"code": "50001"'),
    ],
)
async def test_an_answer_that_is_none(
    venue: Venue, client: Client, kind: str, status: int, content_type: str, begins: str
) -> None:
    strike(venue, kind)
    response = await client.get(TICKER)
    assert (response.status, response.content_type) == (status, content_type)
    assert (await response.text()).startswith(begins)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("50001", 503),
        ("50004", 400),
        ("50011", 429),
        ("50013", 429),
        ("50026", 500),
        ("50061", 429),
        ("50102", 401),
        ("59999", 400),
    ],
)
async def test_any_code_of_okx_comes_with_its_status(
    venue: Venue, client: Client, code: str, status: int
) -> None:
    strike(venue, "code", code=code)
    response = await client.get(TICKER)
    assert (response.status, (await body(response))["code"]) == (status, code)


async def test_nulls_leave_rows_with_holes_and_the_same_ones_again(
    venue: Venue, client: Client
) -> None:
    whole = await row(client, TICKER)
    strike(venue, "nulls", id="a")
    thinned = await row(client, TICKER)
    assert thinned == await row(client, TICKER)
    assert set(thinned) < set(whole)
    assert {"", None} <= set(thinned.values())
    assert all(cell in (whole[name], "", None) for name, cell in thinned.items())
    candles = await client.get("/api/v5/market/candles?instId=BTC-USDT&bar=5m&limit=50")
    cells = (await body(candles))["data"]
    assert isinstance(cells, list)
    assert {len(candle) for candle in cells} == {8, 9}
    assert any(None in candle for candle in cells)


async def test_a_slow_answer_is_the_true_one(venue: Venue, client: Client) -> None:
    whole = await row(client, TICKER)
    strike(venue, "slow", delay_ms=300)
    with pytest.raises(TimeoutError):
        await client.get(TICKER, timeout=ClientTimeout(total=0.1))
    assert await row(client, TICKER) == whole


async def test_a_skewed_clock_is_off_and_prices_are_not(venue: Venue, client: Client) -> None:
    strike(venue, "clock_skew", skew_ms=-45_000)
    assert await row(client, TIME) == {"ts": str(NOW_MS - 45_000)}
    assert (await row(client, TICKER))["ts"] == str(NOW_MS)


async def test_stale_tickers_stand_still_while_time_and_candles_go_on(
    venue: Venue, client: Client
) -> None:
    before = await row(client, TICKER)
    strike(venue, "stale")
    venue.clock.change(ClockChange(advance_ms=STEP_MS))
    assert await row(client, TICKER) == before
    assert await row(client, "/api/v5/market/tickers?instType=SPOT") == before
    assert await row(client, TIME) == {"ts": str(NOW_MS + STEP_MS)}


async def test_only_the_public_side_is_struck(venue: Venue, client: Client) -> None:
    strike(venue, "maintenance")
    assert (await client.get("/healthz")).status == 200
    assert (await client.get("/control/clock")).status == 200
    assert (await client.get("/api/v5/public/nothing")).status == 503


async def test_two_venues_with_the_same_rules_meet_the_same_faults(client: Client) -> None:
    other_venue = stepped_venue(source_of(random_rows(1, 100)), NOW_MS)
    rule = [{"kind": "http_502", "probability": 0.5, "seed": 3}]
    async with TestClient(TestServer(create_app(other_venue))) as other:
        for each in (client, other):
            await each.post("/control/faults", json=rule)
        asked = [f"{TICKER}&n={n}" for n in range(40)]
        met = [(await client.get(path)).status for path in asked]
        assert met == [(await other.get(path)).status for path in reversed(asked)][::-1]
        assert {200, 502} == set(met)


async def test_rules_are_added_shown_and_removed(client: Client) -> None:
    added = await client.post("/control/faults", json={"kind": "reset", "endpoint": "public"})
    expected = {"id": "reset-1", "kind": "reset", "endpoint": "public", "seed": 0}
    shown = {"rules": [expected | {"began_ms": NOW_MS, "used": 0}]}
    assert await body(added) == shown == await body(await client.get("/control/faults"))
    await client.post("/control/faults", json=[{"kind": "html"}, {"kind": "empty"}])
    left = await body(await client.delete("/control/faults?id=reset-1"))
    assert isinstance(left["rules"], list)
    assert [rule["id"] for rule in left["rules"]] == ["html-1", "empty-1"]
    assert await body(await client.delete("/control/faults")) == {"rules": []}


async def test_a_count_shows_how_often_it_struck(client: Client) -> None:
    await client.post("/control/faults", json={"kind": "html", "count": 2})
    assert [(await client.get(TIME)).content_type for _ in range(3)] == [
        *["text/html"] * 2,
        "application/json",
    ]
    rules = (await body(await client.get("/control/faults")))["rules"]
    assert isinstance(rules, list)
    assert rules[0]["used"] == 2


async def test_drops_are_shown_as_they_happen(venue: Venue, client: Client) -> None:
    await client.post("/control/faults", json={"kind": "ws_drop", "every_ms": STEP_MS})
    venue.clock.change(ClockChange(advance_ms=2 * STEP_MS))
    rules = (await body(await client.get("/control/faults")))["rules"]
    assert isinstance(rules, list)
    assert (rules[0]["endpoint"], rules[0]["used"]) == ("ws", 3)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"5", b"[" * 100_000, b'{"kind": "fire"}', b'[{"kind": "html"}, {"kind": 1}]'],
)
async def test_a_bad_rule_is_answered_with_a_sentence_and_none_is_added(
    client: Client, content: bytes
) -> None:
    response = await client.post("/control/faults", data=content)
    assert response.status == 400
    assert str((await body(response))["error"]).endswith(".")
    assert await body(await client.get("/control/faults")) == {"rules": []}


async def test_removing_an_unknown_rule_is_not_found(client: Client) -> None:
    response = await client.delete("/control/faults?id=x")
    assert response.status == 404
    assert "x" in json.dumps(await body(response))


async def test_too_many_requests_are_refused_where_the_venue_has_limits(venue: Venue) -> None:
    limited = replace(venue, limits=RateLimits(overall=25, now_s=lambda: 0.0))
    async with TestClient(TestServer(create_app(limited))) as client:
        times = [(await client.get(TIME)).status for _ in range(PUBLISHED["public/time"] + 2)]
        assert times == [200] * 10 + [429] * 2
        last = await client.get(TIME)
        assert (await body(last))["code"] == "50011"
        tickers = [await client.get(TICKER) for _ in range(16)]
        assert [answer.status for answer in tickers] == [200] * 15 + [429]
        assert (await body(tickers[-1]))["code"] == "50061"
        assert (await client.get("/control/clock")).status == 200
