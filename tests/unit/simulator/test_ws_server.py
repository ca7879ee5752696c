"""The WebSocket side on a real server: what is pushed when, faults, and slow readers."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import pytest
from aiohttp import ClientError, WSMsgType, WSServerHandshakeError

from oxbot.simulator.clock import ClockChange, ClockState, Mode, VenueClock
from oxbot.simulator.made_up import made_up_pairs
from oxbot.simulator.market import Market
from oxbot.simulator.venue import Venue
from oxbot.simulator.ws_client import LONGEST_OUTBOX
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
CUT = (WSMsgType.CLOSED, 1006)


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


async def test_a_silent_connection_is_closed_after_30_s_and_a_ping_keeps_it(
    server: Serving,
) -> None:
    silent, pinging = await server.connect(), await server.connect()
    server.wall.ms += 29_999
    server.sockets.hub.beat()
    assert await pinging.heard() == []
    server.wall.ms += 1
    server.sockets.hub.beat()
    assert await silent.end() == (WSMsgType.CLOSE, 4004)
    assert len(await pinging.ask("subscribe", topic("tickers"))) == 2


async def test_a_connection_that_is_pushed_to_is_not_silent(server: Serving) -> None:
    client = await server.connect()
    await client.ask("subscribe", topic("tickers"))
    for _ in range(4):
        server.wall.ms += 20_000
        server.advance(STEP_MS)
        server.sockets.hub.beat()
    assert len(await client.heard()) == 4


async def test_during_a_stall_pings_are_answered_and_nothing_else_comes(server: Serving) -> None:
    client, late = await server.connect(), await server.connect()
    await client.ask("subscribe", topic("books"))
    server.fault(kind="ws_stall", to_ms=NOW_MS + 2 * STEP_MS)
    server.advance(STEP_MS)
    assert await client.heard() == []
    assert [message.get("event") for message in await late.ask("subscribe", topic("books"))] == [
        "subscribe"
    ]
    server.advance(STEP_MS)
    (update,), (snapshot,) = await client.heard(), await late.heard()
    assert (update["action"], snapshot["action"]) == ("update", "snapshot")
    assert data_of(update)[0]["prevSeqId"] == NOW_MS
    assert data_of(update)[0]["seqId"] == data_of(snapshot)[0]["seqId"] == NOW_MS + 2 * STEP_MS


async def test_a_stall_that_is_taken_away_ends_without_a_step(server: Serving) -> None:
    client = await server.connect()
    await client.ask("subscribe", topic("tickers"))
    server.fault(kind="ws_stall", id="s")
    server.advance(STEP_MS)
    server.venue.faults.remove("s")
    server.sockets.hub.beat()
    (push,) = await client.heard()
    assert data_of(push)[0]["ts"] == str(NOW_MS + STEP_MS)
    server.sockets.hub.beat()
    assert await client.heard() == []


async def test_a_drop_cuts_who_was_connected_without_a_close_frame(server: Serving) -> None:
    client = await server.connect()
    await client.ask("subscribe", topic("tickers"))
    server.fault(kind="ws_drop", every_ms=3_600_000)
    server.advance(3_600_000)
    assert await client.end() == CUT
    again = await server.connect()
    assert len(await again.ask("subscribe", topic("tickers"))) == 2
    server.advance(STEP_MS)
    assert len(await again.heard()) == 1


async def test_a_drop_that_lasts_lets_nobody_connect(server: Serving) -> None:
    client = await server.connect()
    server.fault(kind="ws_drop", id="d")
    server.sockets.hub.beat()
    assert await client.end() == CUT
    with pytest.raises(ClientError):
        await server.connect()
    server.venue.faults.remove("d")
    assert await (await server.connect()).heard() == []


async def test_maintenance_is_announced_then_closes_and_turns_away(server: Serving) -> None:
    client = await server.connect()
    server.fault(kind="maintenance", to_ms=NOW_MS + STEP_MS)
    server.sockets.hub.beat()
    notice = await client.socket.receive_json(timeout=10)
    assert (notice["event"], notice["code"]) == ("notice", "64008")
    assert await client.end() == (WSMsgType.CLOSE, 1001)
    with pytest.raises(WSServerHandshakeError) as refusal:
        await server.connect()
    assert refusal.value.status == 503
    server.advance(STEP_MS)
    assert await (await server.connect()).heard() == []


async def test_who_does_not_read_is_cut_and_the_others_hear_everything(server: Serving) -> None:
    slow, quick = await server.connect(), await server.connect()
    await slow.ask("subscribe", topic("books"))
    await quick.ask("subscribe", topic("books"))
    assert slow.socket._response.connection is not None
    protocol = slow.socket._response.connection.protocol
    assert protocol is not None
    protocol.pause_reading()
    steps = 0
    while len(server.sockets.hub.clients) == 2:
        server.advance(60_000)
        steps += 1
        assert steps < 1000
        assert all(one.waiting <= LONGEST_OUTBOX for one in server.sockets.hub.clients)
        assert len(await quick.heard()) == 1
    protocol.resume_reading()
    assert len(await quick.ask("subscribe", topic("tickers"))) == 2


async def test_a_client_that_is_gone_is_forgotten(server: Serving) -> None:
    client, other = await server.connect(), await server.connect()
    await client.ask("subscribe", *PRICES)
    await client.socket.close()
    server.advance(STEP_MS)
    await other.heard()
    assert len(server.sockets.hub.clients) == 1
    assert server.sockets.hub._feeds == {}


async def test_a_server_that_stops_says_goodbye(server: Serving) -> None:
    client = await server.connect()
    await client.ask("subscribe", topic("tickers"))
    await server.sockets._goodbye(server.http.app)
    assert await client.end() == (WSMsgType.CLOSE, 1001)


async def test_a_fault_of_its_own_ends_all_connections_and_lets_nobody_wait_for_nothing(
    server: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    client = await server.connect()
    del server.sockets.hub._feeds
    assert await client.end() == CUT
    with pytest.raises(WSServerHandshakeError) as refusal:
        await server.connect()
    assert refusal.value.status == 503
    assert "The WebSocket side has failed" in caplog.text
    server.sockets.hub._feeds = {}


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
