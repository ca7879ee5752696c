"""The price watch: stream first, REST when it is silent, and every loss counted and told."""

import asyncio
from collections.abc import Sequence

import pytest

from oxbot.app.watch import watch_prices
from oxbot.domain.bot import BotStatus
from oxbot.domain.circuit import COOLS_MS, OPENS_AFTER, Phase
from oxbot.domain.errors import Conflict, InputError, StoreUnavailable, VenueUnavailable
from oxbot.domain.feed import FeedSource
from oxbot.domain.market import Quote
from oxbot.domain.money import Price
from oxbot.messages import WatchPrices, WriteControl
from tests.support.fake_stream import settled
from tests.support.fakes import BTC, ETH, FakeBoard
from tests.unit.app.room import BOT, NOW_MS, AbsentBoard, Room
from tests.unit.app.watch_post import Post

XRP = "XRP/USDT"


@pytest.fixture
async def post(room: Room) -> Post:
    await room.bot()
    return Post(room)


async def test_a_price_of_the_stream_is_on_the_board_at_once_and_nobody_is_asked(
    post: Post,
) -> None:
    async with post.watching():
        await post.says(post.quote(BTC, 50_000), post.quote(ETH, 2_000))
        assert post.stream.asked == [(BTC, ETH)]
        for symbol, bid in ((BTC, 50_000), (ETH, 2_000)):
            found = await post.on_board(symbol)
            assert found is not None
            assert found.bid == bid
            assert found.source == "stream"
        for _ in range(10):
            await post.timer.passes(2)
            await post.says(post.quote(BTC), post.quote(ETH))
        assert post.asked == 0
        assert (post.now().source, post.now().gaps) == (FeedSource.STREAM, 0)


@pytest.mark.critical
async def test_a_silent_stream_is_replaced_by_requests_until_it_speaks_again(post: Post) -> None:
    async with post.watching():
        await post.says()
        await post.timer.passes(2.9)
        assert post.asked == 0
        await post.timer.passes(0.2)
        assert post.asked == 1
        await post.timer.passes(20)
        assert post.asked == 11
        assert (post.now().source, post.now().gaps, post.now().reconnects) == (
            FeedSource.REST,
            1,
            0,
        )
        assert post.now().trouble == "the stream says nothing"
        found = await post.on_board()
        assert found is not None
        assert found.bid == 60_000
        assert found.source == "fake"

        await post.says(post.quote(BTC), post.quote(ETH))
        for _ in range(3):
            await post.timer.passes(1)
            await post.says(post.quote(BTC), post.quote(ETH))
        assert post.asked == 11
        assert (post.now().source, post.now().gaps, post.now().trouble) == (
            FeedSource.STREAM,
            1,
            "",
        )
        assert post.now().since_ms > NOW_MS + 20_000


@pytest.mark.critical
async def test_a_lost_stream_is_counted_told_and_made_again(post: Post) -> None:
    async with post.watching():
        await post.says()
        post.stream.break_off(VenueUnavailable("the line was cut"))
        await post.timer.passes(0.5)
        assert post.stream.open == 0
        await post.timer.passes(1)
        assert (post.now().gaps, post.now().trouble) == (1, "the line was cut")
        assert len(post.stream.asked) == 2
        await post.says()
        await post.timer.passes(1)
        assert (post.now().source, post.now().gaps, post.now().reconnects) == (
            FeedSource.STREAM,
            1,
            1,
        )


async def test_the_pause_before_connecting_again_doubles_up_to_half_a_minute(post: Post) -> None:
    post.stream.refusal = VenueUnavailable("refused")
    async with post.watching():
        attempts = []
        for _ in range(125):
            attempts.append(len(post.stream.asked))
            await post.timer.passes(1)
        made_at = [s for s in range(1, 125) if attempts[s] != attempts[s - 1]]
        assert made_at == [1, 3, 7, 15, 31, 61, 91, 121]
        assert post.now().gaps == 1
        assert post.now().source is FeedSource.REST

        post.stream.refusal = None
        await post.timer.passes(30)
        await post.says()
        post.stream.break_off(VenueUnavailable("the line was cut"))
        before = len(post.stream.asked)
        await post.timer.passes(1)
        assert len(post.stream.asked) == before + 1


async def test_a_symbol_that_the_stream_refuses_leaves_the_others_to_requests(post: Post) -> None:
    post.stream.refusal = InputError("OKX does not list ETH/USDT.")
    async with post.watching():
        await post.timer.passes(10)
        assert post.now().source is FeedSource.REST
        assert post.now().trouble == "OKX does not list ETH/USDT."
        assert await post.on_board(BTC)


async def test_a_new_bot_is_watched_within_five_seconds_and_a_stopped_one_no_more(
    post: Post,
) -> None:
    post.feed.prices[XRP] = Price(2)
    async with post.watching():
        await post.room.bot("b2", symbols=(XRP,))
        await post.timer.passes(5)
        assert post.wanted() == (BTC, ETH, XRP)
        stop = WriteControl(
            bot_id="b2", status=BotStatus.STOPPED, epoch=9, flatten=True, by="t", reason=""
        )
        await post.store.write_control(stop)
        await post.timer.passes(5)
        assert post.wanted() == (BTC, ETH)
        assert (len(post.stream.asked), post.stream.open) == (3, 1)
        assert post.now().reconnects == 0


async def test_a_symbol_that_is_listed_no_more_does_not_cost_the_others_their_stream(
    post: Post,
) -> None:
    del post.feed.prices[ETH]
    async with post.watching():
        await post.timer.passes(5)
        assert post.wanted() == (BTC,)
        await post.says()
        await post.timer.passes(1)
        assert post.now().source is FeedSource.STREAM


async def test_while_nobody_says_what_is_listed_everything_wanted_is_watched(post: Post) -> None:
    post.feed.away = True
    async with post.watching():
        await post.timer.passes(10)
        assert post.wanted() == (BTC, ETH)


async def test_without_bots_nothing_is_read_and_silence_is_none(room: Room) -> None:
    post = Post(room)
    async with post.watching():
        await post.timer.passes(60)
        assert post.stream.asked == []
        assert post.asked == 0
        assert (post.now().source, post.now().gaps) == (FeedSource.NONE, 0)
        await room.bot()
        await post.timer.passes(5)
        await post.says()
        assert await post.on_board() == post.quote()


async def test_bots_of_another_venue_are_not_watched(post: Post) -> None:
    await post.room.bot("b2", symbols=(XRP,), venue="okx")
    async with post.watching():
        assert post.stream.asked == [(BTC, ETH)]


@pytest.mark.critical
async def test_where_the_venue_stands_still_nothing_is_asked_and_silence_is_no_gap(
    post: Post,
) -> None:
    post.clock.stepped_ms = NOW_MS
    async with post.watching():
        await post.says()
        await post.timer.passes(600)
        assert post.asked == 0
        assert (post.now().source, post.now().gaps) == (FeedSource.STREAM, 0)


@pytest.mark.critical
async def test_a_venue_that_is_away_is_asked_less_and_less_and_found_again(post: Post) -> None:
    post.feed.away = True
    post.stream.refusal = VenueUnavailable("refused")
    async with post.watching():
        await post.timer.passes(3 + 2 * OPENS_AFTER)
        assert post.asked == OPENS_AFTER
        assert post.now().source is FeedSource.NONE
        [circuit] = await post.breaker.states()
        assert circuit.phase is Phase.OPEN

        await post.timer.passes(COOLS_MS / 1000 - 4)
        assert post.asked == OPENS_AFTER
        post.feed.away = False
        await post.timer.passes(6)
        assert post.asked > OPENS_AFTER
        assert await post.breaker.states() == []
        assert post.now().source is FeedSource.REST


async def test_the_board_being_away_ends_nothing(post: Post) -> None:
    post.board = AbsentBoard()
    async with post.watching() as task:
        await post.says()
        await post.timer.passes(30)
        assert not task.done()
        assert post.now().source is FeedSource.NONE
        await post.says()
        await post.timer.passes(1)
        assert post.now().source is FeedSource.STREAM


async def test_the_record_being_away_leaves_the_symbols_as_they_were(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: str) -> list[str]:
        raise StoreUnavailable("PostgreSQL was told not to answer")

    async with post.watching() as task:
        monkeypatch.setattr(post.store, "watched_symbols", away)
        await post.timer.passes(30)
        assert not task.done()
        assert post.now().symbols == (BTC, ETH)


async def test_while_the_board_is_slow_only_the_newest_price_of_a_symbol_waits(post: Post) -> None:
    puts: list[list[Quote]] = []
    free = asyncio.Event()

    class SlowBoard(FakeBoard):
        async def put(self, venue: str, quotes: Sequence[Quote]) -> None:
            puts.append(list(quotes))
            await free.wait()
            await super().put(venue, quotes)

    post.board = SlowBoard()
    async with post.watching():
        for bid in (1, 2, 3):
            await post.says(post.quote(BTC, bid))
        stale = post.quote(BTC, 9).model_copy(update={"exchange_ms": NOW_MS - 1})
        await post.says(stale)
        free.set()
        await settled()
        assert [[q.bid for q in batch] for batch in puts] == [[1], [3]]


async def test_the_next_watch_goes_on_counting(post: Post) -> None:
    async with post.watching():
        await post.says()
        post.stream.break_off(VenueUnavailable("the line was cut"))
        await post.timer.passes(2)
    async with post.watching():
        await post.says()
        await post.timer.passes(1)
        assert post.now().gaps == 1
        post.stream.break_off(VenueUnavailable("the line was cut"))
        await post.timer.passes(2)
        assert post.now().gaps == 2
    report = await post.board.feed_status("fake")
    assert report is not None
    assert report.gaps == 2


async def test_the_watch_lives_as_long_as_the_heartbeat_says(post: Post) -> None:
    async with post.watching():
        await post.timer.passes(60)
        told = [beat.reported_ms for beat in post.beats]
        assert told == [NOW_MS + 1000 * second for second in range(61)]
    gone = post.now().as_of(post.timer.now_ms + 11_000)
    assert gone.source is FeedSource.NONE
    assert "worker" in gone.trouble


async def test_it_ends_by_itself_in_time_and_when_the_worker_does(post: Post) -> None:
    async with post.watching(for_s=100) as task:
        await post.timer.passes(100)
        assert (await task).symbols == (BTC, ETH)
    async with post.watching() as task:
        assert post.stream.open == 1
        post.leave.set()
        await settled()
        assert task.done()
    assert post.stream.open == 0


@pytest.mark.critical
async def test_another_venue_than_this_systems_is_refused_for_good(post: Post) -> None:
    request = WatchPrices(venue="okx", for_s=1)
    with pytest.raises(Conflict, match="two worlds") as refused:
        await watch_prices(post.ports(), request, post.beats.append, post.leave.wait, post.timer)
    assert not refused.value.retryable
    assert post.beats == []
    assert BOT in post.store.bots_by_id
