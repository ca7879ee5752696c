"""The WebSocket side on a real server: what ends a connection, or silences it."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientError, WSMsgType, WSServerHandshakeError

from oxbot.simulator.ws_client import LONGEST_OUTBOX
from tests.unit.simulator.markets import (
    DAY_START_MS,
    STEP_MS,
    random_rows,
    source_of,
    stepped_venue,
)
from tests.unit.simulator.ws_support import Serving, data_of, serving, topic

NOW_MS = DAY_START_MS + 600 * STEP_MS
PRICES = [topic("tickers"), topic("bbo-tbt"), topic("books5"), topic("books")]
CUT = (WSMsgType.CLOSED, 1006)


@pytest.fixture
async def server() -> AsyncIterator[Serving]:
    async with serving(stepped_venue(source_of(random_rows(1, 700)), NOW_MS)) as server:
        yield server


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
