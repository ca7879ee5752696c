"""The price board keeps the newest price, whoever writes and in whatever order."""

import asyncio
import random
from decimal import Decimal

import pytest

from oxbot.adapters.redis.board import RedisPriceBoard, open_redis
from oxbot.domain.errors import SetupError, StoreUnavailable
from oxbot.domain.feed import FeedSource, FeedStatus
from tests.support.trading import BTC, CLOCK, ETH, NOW_MS, quote


async def test_a_price_comes_back_as_it_was_put(board: RedisPriceBoard) -> None:
    btc, eth = quote(bid="60000.123456789012"), quote(ETH, "0.000000000001")
    await board.put("okx", [btc, eth])
    assert await board.get("okx", [ETH, BTC, "XRP/USDT"]) == {ETH: eth, BTC: btc}
    assert await board.get("simulator", [BTC]) == {}
    assert await board.get("okx", []) == {}
    await board.put("okx", [])


@pytest.mark.critical
async def test_an_older_price_never_replaces_a_newer_one(board: RedisPriceBoard) -> None:
    newer, older = quote(bid="2", at_ms=NOW_MS), quote(bid="1", at_ms=NOW_MS - 1)
    await board.put("okx", [newer])
    await board.put("okx", [older, quote(ETH, "5", at_ms=1)])
    assert await board.get("okx", [BTC, ETH]) == {BTC: newer, ETH: quote(ETH, "5", at_ms=1)}
    same_time = quote(bid="3", at_ms=NOW_MS)
    await board.put("okx", [same_time])
    assert (await board.get("okx", [BTC]))[BTC].bid == Decimal(3)


@pytest.mark.critical
async def test_of_one_exchange_time_the_price_received_last_stays(board: RedisPriceBoard) -> None:
    """A quiet coin's price is as old as it is; that it was confirmed since must not be lost."""
    by_stream = quote(bid="2")
    confirmed = by_stream.model_copy(
        update={"received_ms": by_stream.received_ms + 9_000, "source": "rest"}
    )
    await board.put("okx", [confirmed])
    await board.put("okx", [by_stream])
    assert (await board.get("okx", [BTC]))[BTC] == confirmed
    newer = quote(bid="3", at_ms=NOW_MS + 1)
    await board.put("okx", [newer])
    assert (await board.get("okx", [BTC]))[BTC] == newer


async def test_the_watchs_report_comes_back_as_it_was_made(board: RedisPriceBoard) -> None:
    assert await board.feed_status("okx") is None
    report = FeedStatus(
        source=FeedSource.STREAM,
        since_ms=NOW_MS,
        reported_ms=NOW_MS + 1,
        last_message_ms=NOW_MS,
        gaps=3,
        reconnects=2,
        symbols=(BTC, ETH),
        clock=CLOCK,
        trouble="none that matters",
    )
    await board.report("okx", report)
    assert await board.feed_status("okx") == report
    assert await board.feed_status("okx-simulated") is None


@pytest.mark.critical
async def test_the_newest_of_many_writers_at_once_stays(
    board: RedisPriceBoard, redis_url: str
) -> None:
    other = RedisPriceBoard(open_redis(redis_url))
    times = list(range(1, 201))
    random.Random(7).shuffle(times)  # noqa: S311 - the order of an example
    writes = (
        (board, other)[ms % 2].put("okx", [quote(bid=str(ms), at_ms=NOW_MS + ms)]) for ms in times
    )
    await asyncio.gather(*writes)
    assert (await board.get("okx", [BTC]))[BTC].bid == Decimal(200)
    await other.close()


async def test_the_board_survives_the_loss_of_its_script(
    board: RedisPriceBoard, redis_url: str
) -> None:
    await board.put("okx", [quote()])
    client = open_redis(redis_url)
    await client.script_flush()
    await client.aclose()
    await board.put("okx", [quote(bid="7")])
    assert (await board.get("okx", [BTC]))[BTC].bid == Decimal(7)


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1", "unix:///nowhere/redis.sock"])
async def test_a_redis_that_does_not_answer_is_unavailable(url: str) -> None:
    board = RedisPriceBoard(open_redis(url))
    with pytest.raises(StoreUnavailable, match="Redis does not answer"):
        await board.put("okx", [quote()])
    with pytest.raises(StoreUnavailable, match="Redis does not answer"):
        await board.get("okx", [BTC])
    await board.close()


def test_what_is_no_url_of_redis_is_refused() -> None:
    with pytest.raises(SetupError, match="REDIS_URL"):
        RedisPriceBoard(open_redis("postgresql://x"))


@pytest.mark.critical
@pytest.mark.parametrize("text", ["", "{", "7", "null", '{"symbol":"BTC/USDT","bid":"1"}'])
async def test_what_cannot_be_read_is_no_price_and_gives_way_to_the_next(
    board: RedisPriceBoard, text: str
) -> None:
    await board._client.hset("oxbot:prices:okx", BTC, text)
    await board.put("okx", [quote(ETH)])
    assert await board.get("okx", [BTC, ETH]) == {ETH: quote(ETH)}
    await board.put("okx", [quote()])
    assert await board.get("okx", [BTC]) == {BTC: quote()}


async def test_a_report_of_the_watch_that_cannot_be_read_is_none(board: RedisPriceBoard) -> None:
    await board._client.set("oxbot:feed:okx", '{"source": "pigeon"}')
    assert await board.feed_status("okx") is None
