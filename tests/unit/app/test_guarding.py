"""The watch protects: what a price crosses is told to its bot, and again until it has acted."""

import asyncio
from collections.abc import Collection
from decimal import Decimal

import pytest

from oxbot.app import guard_news
from oxbot.app.signals import AT_ONCE, OUT_OF_REACH, RARELY_S
from oxbot.domain.errors import StoreUnavailable, Unavailable
from oxbot.domain.guards import TRUSTED_MS, Guard
from oxbot.domain.money import Price, Quantity
from oxbot.domain.orders import Purpose, Side
from oxbot.messages import Protect
from tests.support.fake_stream import settled
from tests.support.fakes import BTC, ETH
from tests.support.held import STOP, TARGET, trade
from tests.unit.app.room import BOT, NOW_MS, Room
from tests.unit.app.watch_post import Post


async def buy(post: Post, bot_id: str = BOT, symbol: str = BTC, **how: object) -> None:
    await trade(post.store, Side.BUY, bot_id, symbol, post.timer.now_ms, **how)


async def sell(post: Post, bot_id: str = BOT, symbol: str = BTC, **how: object) -> None:
    await trade(post.store, Side.SELL, bot_id, symbol, post.timer.now_ms, **how)


def told(post: Post) -> list[tuple[str, Purpose]]:
    return [(bot_id, request.purpose) for bot_id, request in post.control.told]


@pytest.fixture
async def post(room: Room) -> Post:
    """A watch whose bot holds BTC."""
    await room.bot()
    post = Post(room)
    await buy(post)
    return post


@pytest.mark.critical
async def test_a_price_that_reaches_the_stop_is_told_to_the_bot_before_any_time_passes(
    post: Post,
) -> None:
    async with post.watching():
        await post.says(post.quote(BTC, STOP + 1))
        assert post.control.told == []
        await post.says(post.quote(BTC, STOP))
        assert post.control.told == [
            (
                BOT,
                Protect(
                    symbol=BTC,
                    opened_ms=NOW_MS,
                    version=1,
                    purpose=Purpose.STOP,
                    price=Price(STOP),
                    crossed_ms=NOW_MS,
                    seen_wall_ms=NOW_MS,
                ),
            )
        ]
        assert post.now().guarded == 1


async def test_a_target_is_told_too_and_what_nobody_holds_is_not(post: Post) -> None:
    async with post.watching():
        await post.says(post.quote(ETH, 1), post.quote(BTC, TARGET))
        assert told(post) == [(BOT, Purpose.TARGET)]


@pytest.mark.critical
async def test_prices_that_were_asked_for_are_judged_like_those_of_the_stream(post: Post) -> None:
    post.feed.prices[BTC] = Price(STOP)
    async with post.watching():
        await post.timer.passes(3.1)
        assert post.asked == 1
        assert told(post) == [(BOT, Purpose.STOP)]


@pytest.mark.critical
async def test_a_crossing_that_nobody_accepts_is_told_every_two_seconds(post: Post) -> None:
    post.control.refusal = Unavailable("Temporal is away")
    async with post.watching():
        await post.says(post.quote(BTC, STOP))
        await post.says(post.quote(BTC, STOP + 100))
        await post.timer.passes(20)
        post.control.refusal = None
        await post.timer.passes(2)
        assert told(post) == [(BOT, Purpose.STOP)]


@pytest.mark.critical
async def test_a_bot_that_was_told_and_does_not_act_is_told_again_but_ever_more_rarely(
    post: Post,
) -> None:
    async with post.watching():
        await post.says(post.quote(BTC, STOP))
        counts = []
        for _ in range(5):
            await post.timer.passes(3)
            counts.append(len(post.control.told))
        assert counts == [2, 3, 3, 3, 4]
        before = len(post.control.told)
        await post.timer.passes(10 * RARELY_S)
        assert before + 9 <= len(post.control.told) <= before + 13


@pytest.mark.critical
async def test_a_stop_after_a_target_at_which_nobody_sold_is_told_at_once(post: Post) -> None:
    async with post.watching():
        await post.says(post.quote(BTC, TARGET))
        await post.timer.passes(10 * RARELY_S)
        before = len(post.control.told)
        await post.says(post.quote(BTC, STOP))
        assert told(post)[before:] == [(BOT, Purpose.STOP)]
        await post.says(post.quote(BTC, TARGET))
        await post.says(post.quote(BTC, STOP))
        assert len(post.control.told) == before + 1


@pytest.mark.critical
async def test_a_position_that_has_changed_is_judged_anew_and_one_that_is_gone_left_alone(
    post: Post,
) -> None:
    async with post.watching():
        await post.says(post.quote(BTC, STOP))
        await sell(post, quantity=Quantity("0.5"))
        post.room.news.tell((BOT, BTC))
        await settled()
        assert [request.version for _, request in post.control.told] == [1, 2]
        await sell(post, quantity=Quantity("0.5"))
        post.room.news.tell((BOT, BTC))
        await post.timer.passes(300)
        assert len(post.control.told) == 2
        assert post.now().guarded == 0


@pytest.mark.critical
async def test_a_position_is_guarded_as_soon_as_it_is_told_of(post: Post) -> None:
    async with post.watching():
        await post.says(post.quote(ETH, 50_000))
        await buy(post, symbol=ETH)
        post.room.news.tell((BOT, ETH))
        await settled()
        assert [request.symbol for _, request in post.control.told] == [ETH]


@pytest.mark.critical
async def test_word_that_was_lost_costs_three_seconds(post: Post) -> None:
    post.room.news.away = True
    async with post.watching():
        await buy(post, symbol=ETH)
        await post.timer.passes(2.9)
        assert post.now().guarded == 1
        await post.timer.passes(1.1)
        assert post.now().guarded == 2
        post.room.news.away = False
        await post.timer.passes(1)
        assert post.room.news.listeners == 1
        post.room.news.break_off()
        await post.timer.passes(1.1)
        assert post.room.news.listeners == 1
    assert post.room.news.listeners == 0


@pytest.mark.critical
async def test_a_comparison_reads_what_has_changed_and_nothing_else(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[object] = []
    guards = post.store.guards

    async def noted(venue: str, only: Collection[tuple[str, str]] | None = None) -> list[Guard]:
        if only is not None:
            read.append(only)
        return await guards(venue, only)

    monkeypatch.setattr(post.store, "guards", noted)
    async with post.watching():
        await post.timer.passes(6.5)
        assert read == [[(BOT, BTC)]]
        await buy(post, symbol=ETH)
        await post.timer.passes(3.5)
        assert read[1:] == [[(BOT, ETH)]]
        await sell(post, quantity=Quantity("0.5"))
        await post.timer.passes(3.5)
        assert read[2:] == [[(BOT, BTC)]]
        await sell(post, quantity=Quantity("0.5"))
        await post.timer.passes(3.5)
        assert len(read) == 3
        assert post.now().guarded == 1


@pytest.mark.critical
async def test_after_too_many_changes_to_name_all_guards_are_read(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard_news, "MOST_NAMED", 0)
    async with post.watching():
        await buy(post, symbol=ETH)
        await sell(post)
        await post.timer.passes(3.5)
        assert post.now().guarded == 1
        await post.says(post.quote(ETH, 50_000))
        assert [request.symbol for _, request in post.control.told] == [ETH]


@pytest.mark.critical
async def test_a_price_too_old_to_trust_sets_nothing_off_and_is_counted(post: Post) -> None:
    post.feed.away = True
    old = post.quote(BTC, STOP)
    async with post.watching():
        await post.timer.passes(TRUSTED_MS / 1000 + 0.001)
        await post.says(old)
        assert post.control.told == []
        await post.timer.passes(1)
        assert post.now().too_old == 1
        trusted = old.model_copy(update={"exchange_ms": post.timer.now_ms - TRUSTED_MS})
        await post.says(trusted)
        assert told(post) == [(BOT, Purpose.STOP)]


async def test_at_thirty_times_the_speed_a_price_may_be_thirty_times_as_old(post: Post) -> None:
    post.clock.rate = Decimal(30)
    post.feed.away = True
    old = post.quote(BTC, STOP)
    async with post.watching():
        await post.timer.passes(100)
        await post.says(old)
        assert told(post) == [(BOT, Purpose.STOP)]


@pytest.mark.critical
async def test_where_the_venue_stands_still_prices_set_nothing_off(post: Post) -> None:
    post.clock.stepped_ms = NOW_MS
    async with post.watching():
        await post.says(post.quote(BTC, STOP))
        await post.timer.passes(60)
        assert post.control.told == []
        beat = await post.store.watch_beat("fake")
        assert beat is not None
        assert beat.stepped
        assert post.now().too_old == 0


@pytest.mark.critical
async def test_a_bot_without_a_workflow_is_told_of_once_and_keeps_nobody_waiting(
    post: Post,
) -> None:
    await post.room.bot("b2")
    await buy(post, "b2")
    post.control.absent = {BOT}
    async with post.watching():
        await post.says(post.quote(BTC, STOP))
        await post.timer.passes(10)
        assert set(told(post)) == {("b2", Purpose.STOP)}
        [(bot_id, key)] = post.store.told
        assert (bot_id, key) == (BOT, f"{OUT_OF_REACH}:{BTC}:{NOW_MS}v1")
        post.control.absent = set()
        await post.timer.passes(2)
        assert (BOT, Purpose.STOP) in told(post)


@pytest.mark.critical
async def test_bots_that_do_not_answer_hold_up_neither_the_board_nor_the_next_crossing(
    post: Post,
) -> None:
    for number in range(AT_ONCE - 1):
        await post.room.bot(f"slow{number}")
        await buy(post, f"slow{number}")
        post.control.slow.add(f"slow{number}")
    await buy(post, symbol=ETH)
    async with post.watching():
        await post.says(post.quote(BTC, STOP))
        assert told(post) == [(BOT, Purpose.STOP)]
        assert await post.on_board() == post.quote(BTC, STOP)
        await post.says(post.quote(ETH, STOP))
        assert [request.symbol for _, request in post.control.told] == [BTC, ETH]


@pytest.mark.critical
async def test_a_mark_never_passes_a_crossing_that_nobody_has_accepted(post: Post) -> None:
    async def mark() -> int | None:
        await post.timer.passes(1)
        return (await post.store.watch_marks("fake")).get(BTC)

    async with post.watching():
        await post.says(post.quote(BTC, 60_000))
        assert await mark() == NOW_MS
        post.control.refusal = Unavailable("Temporal is away")
        crossed_ms = post.timer.now_ms
        await post.says(post.quote(BTC, STOP))
        await post.timer.passes(1)
        await post.says(post.quote(BTC, 60_000))
        assert await mark() == crossed_ms - 1
        post.control.refusal = None
        await post.timer.passes(2)
        passed_ms = await mark()
        assert passed_ms is not None
        assert passed_ms > crossed_ms


async def test_a_beat_is_on_record_every_second_while_the_index_is_as_the_record_has_it(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def beat_ms() -> int:
        beat = await post.store.watch_beat("fake")
        return beat.beat_ms if beat else 0

    async def away(*_: object) -> list[object]:
        raise StoreUnavailable("PostgreSQL was told not to answer")

    async with post.watching() as task:
        for _ in range(5):
            await post.timer.passes(1)
            assert await beat_ms() == post.timer.now_ms
        monkeypatch.setattr(post.store, "guards", away)
        await post.timer.passes(60)
        assert await beat_ms() <= NOW_MS + 5_000 + 10_000
        assert not task.done()


@pytest.mark.critical
async def test_a_watch_of_positions_to_which_no_price_comes_has_no_beat(post: Post) -> None:
    async def is_beating() -> bool:
        await post.timer.passes(1)
        beat = await post.store.watch_beat("fake")
        return beat is not None and beat.beat_ms == post.timer.now_ms

    async with post.watching():
        await post.says(post.quote(BTC, 60_000))
        assert await is_beating()
        post.feed.away = True
        await post.timer.passes(15)
        assert not await is_beating()
        await post.says(post.quote(BTC, 60_000))
        assert await is_beating()
        post.store._positions.clear()
        await post.timer.passes(15)
        assert await is_beating()


async def test_a_new_high_of_a_trailing_position_is_put_on_record(post: Post) -> None:
    await buy(post, symbol=ETH, trail=Decimal("0.02"))
    async with post.watching():
        await post.says(post.quote(ETH, 61_000))
        await post.says(post.quote(ETH, 60_500))
        await post.timer.passes(1)
        assert {g.symbol: g.best for g in await post.store.guards("fake")} == {
            BTC: None,
            ETH: Price(61_000),
        }
        await post.says(post.quote(ETH, 59_780))
        assert told(post) == [(BOT, Purpose.TRAIL)]


async def test_signals_end_with_the_watch(post: Post) -> None:
    post.control.slow.add(BOT)
    async with post.watching():
        await post.says(post.quote(BTC, STOP))
        running = asyncio.all_tasks()
    assert all(task.done() for task in running - asyncio.all_tasks())
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.critical
async def test_a_held_coin_without_a_price_has_no_beat_though_others_have_theirs(
    post: Post,
) -> None:
    async def is_beating() -> bool:
        await post.says(post.quote(ETH, 3_000))
        await post.timer.passes(1)
        beat = await post.store.watch_beat("fake")
        return beat is not None and beat.beat_ms == post.timer.now_ms

    post.feed.mute = {BTC}
    async with post.watching():
        await post.says(post.quote(BTC, 60_000))
        beats = [await is_beating() for _ in range(15)]
        assert (beats[:9], beats[11:]) == ([True] * 9, [False] * 4)
        post.feed.mute = set()
        assert True in [await is_beating() for _ in range(6)]


@pytest.mark.critical
async def test_a_coin_of_which_the_stream_says_nothing_is_asked_for_and_judged(post: Post) -> None:
    async with post.watching():
        await post.says(post.quote(BTC, 60_000))
        post.feed.prices[BTC] = Price(STOP)
        for _ in range(12):
            await post.says(post.quote(ETH, 3_000))
            await post.timer.passes(1)
        assert told(post)[:1] == [(BOT, Purpose.STOP)]
        assert 1 <= post.asked <= 3
