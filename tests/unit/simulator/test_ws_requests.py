"""What a WebSocket client may say, and what it is answered."""

import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace

import pytest
from aiohttp import WSMsgType, WSServerHandshakeError
from hypothesis import given
from hypothesis import strategies as st

from oxbot.simulator.rate_limits import RateLimits
from oxbot.simulator.ws_limits import Window
from oxbot.simulator.ws_messages import WsError, parse_request
from tests.unit.simulator.markets import (
    DAY_START_MS,
    STEP_MS,
    random_rows,
    source_of,
    stepped_venue,
)
from tests.unit.simulator.ws_support import Serving, serving, topic

NOW_MS = DAY_START_MS + 600 * STEP_MS


@pytest.fixture
async def server() -> AsyncIterator[Serving]:
    async with serving(stepped_venue(source_of(random_rows(1, 700)), NOW_MS)) as server:
        yield server


@pytest.fixture
async def strict() -> AsyncIterator[Serving]:
    venue = stepped_venue(source_of(random_rows(1, 700)), NOW_MS)
    async with serving(replace(venue, limits=RateLimits())) as server:
        yield server


async def test_a_subscription_is_acknowledged_with_its_id_and_then_shows_where_it_stands(
    server: Serving,
) -> None:
    client = await server.connect()
    answer, push = await client.ask("subscribe", topic("tickers"), id="1512")
    conn_id = answer.pop("connId")
    assert isinstance(conn_id, str)
    assert len(conn_id) == 8
    assert answer == {"id": "1512", "event": "subscribe", "arg": topic("tickers")}
    assert push == {
        "arg": topic("tickers"),
        "data": await server.rows("market/ticker?instId=BTC-USDT"),
    }


async def test_each_arg_is_answered_by_itself(server: Serving) -> None:
    client = await server.connect()
    messages = await client.ask(
        "subscribe", topic("tickers"), topic("tickers", "DOGE-USDT"), topic("bbo-tbt"), id="a1"
    )
    answers = [message for message in messages if "event" in message]
    assert [answer["event"] for answer in answers] == ["subscribe", "error", "subscribe"]
    assert [answer["id"] for answer in answers] == ["a1"] * 3
    assert answers[1]["code"] == "60018"
    assert answers[1]["msg"] == (
        "Wrong URL or channel:tickers,instId:DOGE-USDT doesn't exist. Please use the correct URL, "
        "channel and parameters referring to API document."
    )


@pytest.mark.parametrize(
    ("address", "arg"),
    [
        ("public", topic("trades")),
        ("public", topic("candle5m")),
        ("business", topic("tickers")),
        ("business", topic("candle1m")),
        ("business", topic("candle7m")),
        ("public", {"channel": "tickers"}),
        ("public", {"channel": "instruments", "instType": "TOYS"}),
        ("public", {"instId": "BTC-USDT"}),
    ],
)
async def test_a_topic_that_does_not_exist_at_an_address_is_refused(
    server: Serving, address: str, arg: dict[str, object]
) -> None:
    client = await server.connect(address)
    for op in ("subscribe", "unsubscribe"):
        (answer,) = await client.ask(op, arg)
        assert (answer["event"], answer["code"]) == ("error", "60018")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "60012"),
        ("{", "60012"),
        ("[]", "60012"),
        ("[" * 50_000, "60012"),
        ('{"op": "subscribe"}', "60012"),
        ('{"args": []}', "60012"),
        ('{"op": "dance", "args": []}', "60019"),
        ('{"op": "subscribe", "args": []}', "60013"),
        ('{"op": "subscribe", "args": ["tickers"]}', "60013"),
        ('{"op": "subscribe", "args": [{"channel": 1}]}', "60013"),
        ('{"op": "subscribe", "id": "no spaces", "args": [{"channel": "tickers"}]}', "60033"),
        ('{"op": "login", "args": [{"apiKey": "k"}]}', "60009"),
    ],
)
async def test_a_bad_request_is_refused_and_the_connection_stays(
    server: Serving, text: str, code: str
) -> None:
    client = await server.connect()
    (answer,) = await client.say(text)
    assert (answer["event"], answer["code"]) == ("error", code)
    assert answer["msg"]
    assert len(await client.ask("subscribe", topic("tickers"))) == 2


async def test_a_binary_message_is_refused(server: Serving) -> None:
    client = await server.connect()
    await client.socket.send_bytes(b"ping")
    (answer,) = await client.heard()
    assert answer["code"] == "60012"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from(["op", "args", "id", "x"]), json_values) | json_values)
def test_any_json_is_a_request_or_is_refused(content: object) -> None:
    with suppress(WsError):
        parse_request(json.dumps(content))


async def test_a_request_over_64_kb_ends_the_connection(server: Serving) -> None:
    client = await server.connect()
    await client.socket.send_str("x" * (64 * 1024 + 1))
    assert await client.end() == (WSMsgType.CLOSE, 1009)


async def test_after_unsubscribing_nothing_more_comes(server: Serving) -> None:
    client = await server.connect()
    await client.ask("subscribe", topic("tickers"), topic("bbo-tbt"))
    (answer,) = await client.ask("unsubscribe", topic("tickers"), id="7")
    assert (answer["event"], answer["arg"], answer["id"]) == ("unsubscribe", topic("tickers"), "7")
    server.advance(STEP_MS)
    assert [message["arg"] for message in await client.heard()] == [topic("bbo-tbt")]


async def test_subscribing_twice_is_acknowledged_twice_and_pushed_once(server: Serving) -> None:
    client = await server.connect()
    assert len(await client.ask("subscribe", topic("tickers"))) == 2
    assert len(await client.ask("subscribe", topic("tickers"))) == 1
    server.advance(STEP_MS)
    assert len(await client.heard()) == 1


async def test_a_connection_has_480_requests_an_hour(strict: Serving) -> None:
    client = await strict.connect()
    for _ in range(480):
        await client.socket.send_json({"op": "unsubscribe", "args": [topic("tickers")]})
    assert {message["event"] for message in await client.heard()} == {"unsubscribe"}
    (answer,) = await client.ask("subscribe", topic("tickers"), id="9")
    assert (answer["code"], answer["id"]) == ("60014", "9")
    strict.wall.ms += 3_600_000
    assert (await client.ask("subscribe", topic("tickers")))[0]["event"] == "subscribe"


async def test_an_address_opens_three_connections_a_second(strict: Serving) -> None:
    for _ in range(3):
        await strict.connect()
    with pytest.raises(WSServerHandshakeError) as refusal:
        await strict.connect()
    assert refusal.value.status == 429
    strict.wall.ms += 1000
    await strict.connect("business")


async def test_without_limits_there_are_none(server: Serving) -> None:
    clients = [await server.connect() for _ in range(10)]
    for _ in range(500):
        await clients[0].socket.send_json({"op": "unsubscribe", "args": [topic("tickers")]})
    assert len(await clients[0].heard()) == 500


@given(st.lists(st.integers(0, 50), max_size=60))
def test_no_window_of_time_holds_more_events_than_it_may(waits: list[int]) -> None:
    window, now, happened = Window(3, 100), 0, list[int]()
    for wait in waits:
        now += wait
        recent = [moment for moment in happened if now - moment < 100]
        assert window.allows(now) == (len(recent) < 3)
        if len(recent) < 3:
            happened.append(now)
        assert not window.idle(now)
    assert window.idle(now + 100)
