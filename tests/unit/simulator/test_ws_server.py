"""The WebSocket side on a real server: what is pushed, and when."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import pytest

from oxbot.simulator.clock import ClockChange, ClockState, Mode, VenueClock
from oxbot.simulator.made_up import made_up_pairs
from oxbot.simulator.market import Market
from oxbot.simulator.venue import Venue
from tests.unit.simulator.markets import (
    DAY_START_MS,
    STEP_MS,
    random_rows,
    source_of,
    stepped_venue,
)
from tests.unit.simulator.ws_support import Serving, Wall, data_of, serving, topic

NOW_MS = DAY_START_MS + 600 * STEP_MS
PRICES = [topic("tickers"), topic("bbo-tbt"), topic("books5"), topic("books")]
CANDLES = [topic("candle5m"), topic("candle1H"), topic("candle4H")]


@pytest.fixture
async def server() -> AsyncIterator[Serving]:
    async with serving(stepped_venue(source_of(random_rows(1, 700)), NOW_MS)) as server:
        yield server


@pytest.fixture
async def flowing() -> AsyncIterator[Serving]:
    """A venue as fast as life whose time passes when the test says so."""
    wall, source = Wall(), source_of(random_rows(1, 700))
    state = ClockState("test market", Mode.SPEED, Decimal(1), NOW_MS, wall_ms=wall.ms)
    clock = VenueClock(state, source.end_ms, save=lambda _: None, wall=wall)
    async with serving(Venue(Market(source, 1), clock), wall=wall) as server:
        yield server


async def test_after_each_step_every_subscription_is_pushed_once_at_the_venues_time(
    server: Serving,
) -> None:
    client = await server.connect()
    await client.ask("subscribe", *PRICES)
    assert await client.heard() == []
    for step_ms in (1, STEP_MS, 3_600_000, STEP_MS):
        now = server.advance(step_ms)
        pushes = await client.heard()
        if step_ms > 1:
            assert [push["arg"] for push in pushes] == PRICES
        assert {data_of(push)[0]["ts"] for push in pushes} <= {str(now)}
    server.sockets.hub.beat()
    assert await client.heard() == []


async def test_after_a_step_candles_are_pushed_in_one_message_each(server: Serving) -> None:
    client = await server.connect("business")
    await client.ask("subscribe", *CANDLES)
    server.advance(2 * STEP_MS)
    pushes = await client.heard()
    assert [push["arg"] for push in pushes] == CANDLES
    assert data_of(pushes[0])[::-1] == await server.rows(
        "market/candles?instId=BTC-USDT&bar=5m&limit=3"
    )


async def test_the_step_is_pushed_before_it_is_answered(server: Serving) -> None:
    client = await server.connect()
    await client.ask("subscribe", topic("tickers"))
    await server.http.post("/control/clock", json={"advance_ms": STEP_MS})
    push = await client.socket.receive_json(timeout=10)
    assert push["data"] == await server.rows("market/ticker?instId=BTC-USDT")


async def test_where_a_step_halts_is_pushed_before_it_is_answered(server: Serving) -> None:
    client = await server.connect()
    await client.ask("subscribe", topic("tickers"))
    [row] = await server.rows("market/ticker?instId=BTC-USDT")
    below = {"instId": "BTC-USDT", "bid_at_or_below": str(Decimal(str(row["bidPx"])) - 1)}
    wish = {"advance_ms": 100 * STEP_MS, "halt_at": [below]}
    answer = await (await server.http.post("/control/clock", json=wish)).json()
    push = await client.socket.receive_json(timeout=10)
    assert answer["halted"]
    assert push["data"] == await server.rows("market/ticker?instId=BTC-USDT")
    assert push["data"][0]["bidPx"] == answer["crossed"][0]["bid"]


async def test_a_row_is_made_once_for_all_who_follow(
    server: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients = [await server.connect() for _ in range(20)]
    for client in clients:
        await client.ask("subscribe", *PRICES)
    asked: list[int] = []
    price = Market.price

    def counted(market: Market, symbol: str, now_ms: int) -> int:
        asked.append(now_ms)
        return price(market, symbol, now_ms)

    monkeypatch.setattr(Market, "price", counted)
    now = server.advance(STEP_MS)
    assert asked == [now] * 3
    assert [len(await client.heard()) for client in clients] == [4] * 20


async def test_a_newcomer_gets_a_snapshot_that_the_next_update_goes_on_from(
    server: Serving,
) -> None:
    first, second = await server.connect(), await server.connect()
    await first.ask("subscribe", topic("books"))
    server.advance(STEP_MS)
    await first.heard()
    _, snapshot = await second.ask("subscribe", topic("books"))
    assert snapshot["action"] == "snapshot"
    (book,) = await server.rows("market/books?instId=BTC-USDT&sz=400")
    (row,) = data_of(snapshot)
    assert {name: row[name] for name in book} == book
    server.advance(STEP_MS)
    (update,), (same,) = await first.heard(), await second.heard()
    assert update == same
    assert update["action"] == "update"
    assert data_of(update)[0]["prevSeqId"] == row["seqId"]


async def test_where_time_flows_prices_come_every_100_ms_and_candles_every_500(
    flowing: Serving,
) -> None:
    prices, candles = await flowing.connect(), await flowing.connect("business")
    await prices.ask("subscribe", topic("tickers"))
    await candles.ask("subscribe", topic("candle5m"))
    counts = [0, 0]
    for _ in range(20):
        flowing.wall.ms += 50
        flowing.sockets.hub.beat()
        counts[0] += len(await prices.heard())
        counts[1] += len(await candles.heard())
    assert counts == [10, 2]


async def test_a_book_without_a_change_is_repeated_after_60_s(flowing: Serving) -> None:
    end = flowing.venue.market.source.end_ms
    flowing.wall.ms += end - NOW_MS
    client = await flowing.connect()
    await client.ask("subscribe", topic("books"), topic("books5"), topic("tickers"))
    flowing.wall.ms += 20_000
    flowing.sockets.hub.beat()
    assert await client.heard() == []
    flowing.wall.ms += 20_000
    assert await client.heard() == []
    flowing.wall.ms += 20_000
    flowing.sockets.hub.beat()
    (push,) = await client.heard()
    (row,) = data_of(push)
    assert (push["action"], row["asks"], row["bids"]) == ("update", [], [])
    assert row["seqId"] == row["prevSeqId"] == end


async def test_while_the_venue_stands_still_nothing_is_repeated(server: Serving) -> None:
    client = await server.connect()
    await client.ask("subscribe", topic("books"), topic("funding-rate", "BTC-USDT-SWAP"))
    for _ in range(8):
        server.wall.ms += 20_000
        assert await client.heard() == []
        server.sockets.hub.beat()
    assert await client.heard() == []


async def test_swaps_and_made_up_pairs_have_the_rows_of_the_http_side(server: Serving) -> None:
    client = await server.connect()
    swap = "BTC-USDT-SWAP"
    paths = {
        "tickers": f"market/ticker?instId={swap}",
        "mark-price": f"public/mark-price?instType=SWAP&instId={swap}",
        "open-interest": f"public/open-interest?instType=SWAP&instId={swap}",
        "funding-rate": f"public/funding-rate?instId={swap}",
    }
    topics = [topic(channel, swap) for channel in paths]
    await client.ask("subscribe", *topics)
    server.advance(3 * 3_600_000)
    pushes = await client.heard()
    assert [push["arg"] for push in pushes] == topics
    for push, path in zip(pushes, paths.values(), strict=True):
        assert push["data"] == await server.rows(path)


async def test_made_up_pairs_have_a_ticker_and_nothing_else() -> None:
    venue = replace(stepped_venue(source_of(random_rows(1, 700)), NOW_MS), made_up=made_up_pairs(2))
    async with serving(venue) as server:
        client = await server.connect()
        _, push, refusal = await client.ask(
            "subscribe", topic("tickers", "X0002-USDT"), topic("books", "X0002-USDT")
        )
        assert push["data"] == await server.rows("market/ticker?instId=X0002-USDT")
        assert refusal["code"] == "60018"


@pytest.mark.parametrize("kind", ["SPOT", "SWAP"])
async def test_instruments_are_told_once(server: Serving, kind: str) -> None:
    client = await server.connect()
    _, push = await client.ask("subscribe", {"channel": "instruments", "instType": kind})
    assert push["data"] == await server.rows(f"public/instruments?instType={kind}")
    server.advance(STEP_MS)
    assert await client.heard() == []


async def test_funding_that_has_not_changed_is_repeated_after_60_s(flowing: Serving) -> None:
    client = await flowing.connect()
    flowing.venue.clock.change(ClockChange(rate=Decimal("0.001")))
    await client.ask("subscribe", topic("funding-rate", "BTC-USDT-SWAP"))
    heard = 0
    for _ in range(7):
        flowing.wall.ms += 10_000
        flowing.sockets.hub.beat()
        heard += len(await client.heard())
    assert heard == 1
