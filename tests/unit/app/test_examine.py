"""A venue that stands still: its driver has the guards examined at each moment."""

from decimal import Decimal

import pytest

from oxbot.app.examine import examine
from oxbot.domain.circuit import OPENS_AFTER
from oxbot.domain.errors import Conflict, Unavailable, VenueUnavailable
from oxbot.domain.money import Price
from oxbot.domain.orders import Purpose
from oxbot.messages import Examine, ExamineReport, Protect, ProtectReport
from tests.support.fakes import BTC, ETH, FakeFeed
from tests.support.held import STOP, TARGET
from tests.unit.app.room import BOT, NOW_MS, Room
from tests.unit.app.test_guarding import buy, sell
from tests.unit.app.watch_post import Post

HOLD_MS = 13_800_000


@pytest.fixture
async def post(room: Room) -> Post:
    """A bot that holds BTC and ETH, bought at 60,000; what it is told to close it closes."""
    await room.bot()
    room.feed = FakeFeed({BTC: Price(60_000), ETH: Price(60_000)})
    post = Post(room)
    await buy(post)
    await buy(post, symbol=ETH)

    async def close(bot_id: str, request: Protect) -> ProtectReport:
        await sell(post, bot_id, request.symbol)
        return ProtectReport(symbol=request.symbol, state="closed")

    room.control.closes = close
    return post


async def examined(post: Post, at_ms: int | None = None) -> ExamineReport:
    room = post.room
    request = Examine(venue="fake", at_ms=room.now_ms if at_ms is None else at_ms)
    return await examine(room.ports, request, lambda: None)


def closed(post: Post) -> dict[str, Purpose]:
    return {request.symbol: request.purpose for _, request in post.control.told}


@pytest.mark.critical
async def test_what_the_prices_of_this_moment_set_off_is_closed_before_it_answers(
    post: Post,
) -> None:
    assert await examined(post) == ExamineReport(crossings=0, closed=0)
    post.room.reprice(BTC, Price(STOP))
    post.room.reprice(ETH, Price(TARGET))
    assert await examined(post) == ExamineReport(crossings=2, closed=2)
    assert closed(post) == {BTC: Purpose.STOP, ETH: Purpose.TARGET}
    assert await post.store.guards("fake") == []
    assert await examined(post) == ExamineReport(crossings=0, closed=0)


@pytest.mark.critical
async def test_a_hold_that_is_over_is_closed_and_a_price_comes_before_it(post: Post) -> None:
    post.room.now_ms = NOW_MS + HOLD_MS - 1
    assert (await examined(post)).crossings == 0
    post.room.reprice(BTC, Price(STOP))
    assert await examined(post) == ExamineReport(crossings=2, closed=2)
    assert closed(post) == {BTC: Purpose.STOP, ETH: Purpose.HOLD}


@pytest.mark.critical
async def test_without_prices_a_hold_that_is_over_waits_for_one_to_be_sold_at(post: Post) -> None:
    post.room.now_ms = NOW_MS + HOLD_MS
    post.room.feed.away = True
    with pytest.raises(VenueUnavailable):
        await examined(post)
    assert closed(post) == {}
    post.room.feed.away = False
    assert await examined(post) == ExamineReport(crossings=2, closed=2)


async def test_once_the_circuit_is_open_it_is_reported_and_nobody_asks_again(post: Post) -> None:
    post.room.feed.away = True
    for _ in range(OPENS_AFTER):
        with pytest.raises(VenueUnavailable):
            await examined(post)
    report = await examined(post)
    assert (report.crossings, report.unfinished) == (0, False)
    assert "not asked" in report.trouble


async def test_an_exit_that_takes_long_leaves_the_examination_unfinished(post: Post) -> None:
    async def tries(_: str, request: Protect) -> ProtectReport:
        return ProtectReport(
            symbol=request.symbol, state="open", reason="it takes long", under_way=True
        )

    post.control.closes = tries
    post.room.reprice(BTC, Price(STOP))
    report = await examined(post)
    assert (report.crossings, report.closed, report.unfinished) == (1, 0, True)


@pytest.mark.critical
async def test_a_coin_without_a_price_keeps_no_other_from_being_closed(post: Post) -> None:
    post.room.reprice(BTC, Price(STOP))
    post.room.feed.mute = {ETH}
    with pytest.raises(VenueUnavailable, match=ETH):
        await examined(post)
    assert closed(post) == {BTC: Purpose.STOP}


async def test_a_trailing_stop_follows_the_prices_of_each_moment(post: Post) -> None:
    await sell(post, symbol=ETH)
    await buy(post, symbol=ETH, trail=Decimal("0.02"))
    post.room.reprice(ETH, Price(63_000))
    assert (await examined(post)).crossings == 0
    post.room.reprice(ETH, Price(61_740))
    assert await examined(post) == ExamineReport(crossings=1, closed=1)
    assert closed(post) == {ETH: Purpose.TRAIL}


async def test_a_bot_that_does_not_answer_is_an_error_once_the_others_are_done(
    post: Post,
) -> None:
    await post.room.bot("b2")
    await buy(post, "b2")
    post.room.reprice(BTC, Price(STOP))

    async def answers(bot_id: str, request: Protect) -> ProtectReport:
        if bot_id == BOT:
            raise Unavailable("no worker answers")
        await sell(post, bot_id, request.symbol)
        return ProtectReport(symbol=request.symbol, state="closed")

    post.control.closes = answers
    with pytest.raises(Unavailable, match="no worker"):
        await examined(post)
    assert {guard.bot_id for guard in await post.store.guards("fake")} == {BOT}


async def test_what_stays_open_is_told_with_its_reason(post: Post) -> None:
    await post.room.bot("b2")
    await buy(post, "b2")
    post.control.absent = {"b2"}
    post.room.reprice(BTC, Price(STOP))
    report = await examined(post)
    assert (report.crossings, report.closed) == (2, 1)
    assert "b2 has no running workflow" in report.trouble


async def test_another_moment_and_a_venue_that_moves_are_refused(post: Post) -> None:
    with pytest.raises(Conflict, match="stands at"):
        await examined(post, NOW_MS + 1)
    ports = post.room.ports
    post.room.clock.stepped_ms = None
    with pytest.raises(Conflict, match="moves by itself"):
        await examine(ports, Examine(venue="fake", at_ms=NOW_MS), lambda: None)
