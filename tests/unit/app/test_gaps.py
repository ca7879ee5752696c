"""What nobody watched is made up for: by candles at the beginning and after a silence."""

import asyncio
from decimal import Decimal

import pytest

from oxbot.domain.errors import VenueUnavailable
from oxbot.domain.guard_index import Best
from oxbot.domain.market import CANDLE_MS, Bar, Candle
from oxbot.domain.money import Price
from oxbot.domain.orders import Purpose
from oxbot.domain.portfolio import Direction
from tests.support.fake_stream import settled
from tests.support.fakes import BTC, ETH, FakeFeed
from tests.support.held import STOP, TARGET
from tests.unit.app.room import BOT, NOW_MS, Room
from tests.unit.app.test_guarding import buy, told
from tests.unit.app.watch_post import Post


class CandleFeed(FakeFeed):
    """A venue whose candles all lie at 60,000 USDT but for those a test shapes by their number.

    Numbers count from the candle that begins at NOW_MS.
    """

    def __init__(self) -> None:
        super().__init__({BTC: Price(60_000), ETH: Price(60_000)})
        self.shaped: dict[int, dict[str, int]] = {}
        self.pages: list[int] = []

    async def candles(
        self, symbol: str, count: int, end_ms: int, bar: Bar = Bar.M5
    ) -> list[Candle]:
        self._ask(f"candles {symbol}")
        self.pages.append(count)
        assert count <= 300
        first_ms = bar.closed_by(end_ms) - count * bar.length_ms
        return [self._candle(first_ms + n * bar.length_ms) for n in range(count)]

    def _candle(self, open_ms: int) -> Candle:
        plain = dict.fromkeys(("open", "high", "low", "close"), 60_000)
        shape = self.shaped.get((open_ms - NOW_MS) // CANDLE_MS, {})
        return Candle.model_validate({"open_ms": open_ms, "volume": 1, **plain, **shape})


@pytest.fixture
async def post(room: Room) -> Post:
    """A post whose bot bought BTC two hours ago, and that nobody watched since."""
    await room.bot()
    post = Post(room, feed=CandleFeed())
    await buy(post)
    post.timer.now_ms += 7_200_000 + 10_000
    return post


def feed(post: Post) -> CandleFeed:
    assert isinstance(post.feed, CandleFeed)
    return post.feed


@pytest.mark.critical
async def test_a_stop_that_was_crossed_while_nobody_watched_is_told_with_its_resting_price(
    post: Post,
) -> None:
    feed(post).shaped[5] = {"low": STOP - 500}
    async with post.watching():
        [(bot_id, request)] = post.control.told
        assert (bot_id, request.purpose) == (BOT, Purpose.STOP)
        assert request.resting == STOP
        assert request.crossed_ms == NOW_MS + 6 * CANDLE_MS
        assert request.seen_wall_ms == 0


@pytest.mark.critical
async def test_the_gap_is_examined_before_the_first_price_is_judged(post: Post) -> None:
    feed(post).shaped[5] = {"open": STOP - 700, "low": STOP - 900}
    post.stream.say(post.quote(BTC, STOP - 2_000))
    async with post.watching():
        [(_, request)] = post.control.told
        assert request.resting == STOP - 700


@pytest.mark.critical
async def test_a_venue_that_is_slow_with_candles_does_not_keep_prices_from_being_judged(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object, **__: object) -> list[Candle]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(post.feed, "candles", never)
    async with post.watching():
        await post.timer.passes(5)
        await post.says(post.quote(BTC, STOP))
        assert told(post) == [(BOT, Purpose.STOP)]


@pytest.mark.critical
async def test_only_candles_since_the_mark_are_examined(post: Post) -> None:
    feed(post).shaped[5] = {"low": STOP - 500}
    await post.store.save_watch_marks("fake", {BTC: NOW_MS + 6 * CANDLE_MS}, 0, stepped=False)
    async with post.watching():
        assert post.control.told == []
        assert feed(post).pages == [18]


async def test_without_a_closed_candle_the_price_of_now_judges(post: Post) -> None:
    await post.store.save_watch_marks("fake", {BTC: post.timer.now_ms - 5_000}, 0, stepped=False)
    async with post.watching():
        assert feed(post).pages == []
        await post.says(post.quote(BTC, TARGET))
        assert told(post) == [(BOT, Purpose.TARGET)]
        assert post.control.told[0][1].resting is None


@pytest.mark.critical
async def test_the_candle_in_which_watching_began_again_tells_once_it_is_closed(
    post: Post,
) -> None:
    """A worker was away for seconds: what it missed lies in a candle that is not closed yet."""
    await post.store.save_watch_marks("fake", {BTC: post.timer.now_ms - 5_000}, 0, stepped=False)
    feed(post).shaped[24] = {"low": STOP - 500}
    async with post.watching():
        await post.says(post.quote(BTC, 60_000))
        await post.timer.passes(280)
        assert post.control.told == []
        await post.says(post.quote(BTC, 60_000))
        await post.timer.passes(14)
        [(_, request), *_] = post.control.told
        assert request.purpose is Purpose.STOP
        assert request.resting == STOP
        marks = await post.store.watch_marks("fake")
        assert marks[BTC] > post.timer.now_ms - 60_000


@pytest.mark.critical
async def test_a_gap_lasts_until_a_price_comes(post: Post) -> None:
    await post.store.save_watch_marks("fake", {BTC: post.timer.now_ms - 5_000}, 0, stepped=False)
    post.feed.prices.clear()
    feed(post).shaped[26] = {"low": STOP - 500}
    async with post.watching():
        await post.timer.passes(900)
        post.stream.say(post.quote(BTC, 60_000))
        await settled()
        assert told(post)[0] == (BOT, Purpose.STOP)


@pytest.mark.critical
async def test_trailing_stops_follow_the_best_price_that_nobody_saw(post: Post) -> None:
    await post.store.save_watch_marks("fake", {ETH: post.timer.now_ms - 5_000}, 0, stepped=False)
    await buy(post, symbol=ETH, trail=Decimal("0.05"))
    post.timer.now_ms += 10 * CANDLE_MS
    feed(post).shaped[27] = {"high": 63_000}
    feed(post).shaped[29] = {"high": 62_000}
    async with post.watching():
        await post.says(post.quote(ETH, 60_000))
        await post.timer.passes(5)
        assert {g.symbol: g.best for g in await post.store.guards("fake")}[ETH] == 63_000
        await post.says(post.quote(ETH, 59_850))
        assert (BOT, Purpose.TRAIL) in told(post)


@pytest.mark.critical
async def test_where_a_mark_stayed_behind_a_low_of_then_meets_no_stop_that_trails_a_later_best(
    post: Post,
) -> None:
    """Candles were not to be had, prices were: they rose after the low, and a watch saw it."""
    await buy(post, symbol=ETH, trail=Decimal("0.02"))
    await post.store.save_watch_marks("fake", {ETH: post.timer.now_ms}, 0, stepped=False)
    post.timer.now_ms += 4 * CANDLE_MS
    feed(post).shaped[25] = {"low": 59_500}
    await post.store.raise_best("fake", Best(ETH, Direction.LONG, Price(61_000), post.timer.now_ms))
    beat_ms = post.timer.now_ms - 5_000
    await post.store.save_watch_marks("fake", {}, beat_ms, stepped=False)
    async with post.watching():
        await settled()
        assert (BOT, Purpose.TRAIL) not in told(post)


async def test_a_gap_of_days_is_read_page_by_page(post: Post) -> None:
    post.timer.now_ms = NOW_MS + 700 * CANDLE_MS
    feed(post).shaped[699] = {"high": TARGET}
    async with post.watching():
        assert feed(post).pages == [300, 300, 100]
        assert told(post) == [(BOT, Purpose.TARGET)]


@pytest.mark.critical
async def test_a_gap_is_examined_as_soon_as_the_venue_answers_and_its_mark_waits_for_that(
    post: Post,
) -> None:
    feed(post).shaped[5] = {"low": STOP - 500}
    post.feed.away = True
    async with post.watching():
        await post.says(post.quote(BTC, 60_000))
        await post.timer.passes(6)
        assert post.control.told == []
        assert await post.store.watch_marks("fake") == {}
        post.feed.away = False
        await post.timer.passes(40)
        assert told(post)[0] == (BOT, Purpose.STOP)
        assert await post.store.watch_marks("fake") == {}
        await post.timer.passes(260)
        assert BTC in await post.store.watch_marks("fake")


@pytest.mark.critical
async def test_a_position_that_was_closed_meanwhile_is_not_closed_again(post: Post) -> None:
    feed(post).shaped[5] = {"low": STOP - 500}
    post.feed.away = True
    async with post.watching():
        post.store._positions.clear()
        await post.timer.passes(4)
        post.feed.away = False
        await post.timer.passes(40)
        assert post.control.told == []


@pytest.mark.critical
async def test_a_time_without_any_price_is_made_up_for_by_candles(post: Post) -> None:
    at_ms = post.timer.now_ms
    await post.store.save_watch_marks("fake", {BTC: at_ms - 1_000}, 0, stepped=False)
    async with post.watching():
        await post.says(post.quote(BTC, 60_000))
        post.feed.away = True
        post.stream.break_off(VenueUnavailable("the line was cut"))
        post.stream.refusal = VenueUnavailable("refused")
        await post.timer.passes(600)
        assert post.control.told == []
        feed(post).shaped[25] = {"low": STOP - 1}
        post.feed.away = False
        await post.timer.passes(40)
        [(_, request), *_] = post.control.told
        assert request.purpose is Purpose.STOP
        assert request.resting == STOP


@pytest.mark.critical
async def test_what_one_coin_went_through_while_only_others_had_prices_is_made_up_for(
    post: Post,
) -> None:
    at_ms = post.timer.now_ms
    await post.store.save_watch_marks("fake", {BTC: at_ms - 1_000}, 0, stepped=False)
    post.feed.mute = {BTC}
    async with post.watching():
        await post.says(post.quote(BTC, 60_000), post.quote(ETH, 60_000))
        feed(post).shaped[25] = {"low": STOP - 1}
        for _ in range(300):
            await post.says(post.quote(ETH, 60_000))
            await post.timer.passes(2)
        assert post.control.told == []
        post.feed.mute = set()
        await post.timer.passes(40)
        [(_, request), *_] = post.control.told
        assert request.purpose is Purpose.STOP
        assert request.resting == STOP


@pytest.mark.critical
async def test_a_coins_silence_is_made_up_for_by_its_own_candles_and_judged_by_its_own_guards(
    post: Post,
) -> None:
    """Both coins are held; what the silent one went through would reach the other's stop."""
    await buy(post, symbol=ETH, stop=Decimal("0.001"))
    feed(post).shaped[25] = {"low": 59_000}
    at_ms = post.timer.now_ms
    await post.store.save_watch_marks("fake", {BTC: at_ms, ETH: at_ms}, 0, stepped=False)
    post.feed.mute = {BTC}
    async with post.watching():
        await post.says(post.quote(BTC, 60_000), post.quote(ETH, 60_000))
        for _ in range(200):
            await post.says(post.quote(ETH, 60_000))
            await post.timer.passes(2)
        await post.says(post.quote(BTC, 60_000))
        before = feed(post).asked[f"candles {ETH}"]
        for _ in range(155):
            await post.says(post.quote(BTC, 60_000), post.quote(ETH, 60_000))
            await post.timer.passes(2)
        assert feed(post).asked[f"candles {BTC}"] > 0
        assert feed(post).asked[f"candles {ETH}"] == before
        assert post.control.told == []


async def test_a_venue_that_stands_still_has_no_gaps(post: Post) -> None:
    feed(post).shaped[5] = {"low": STOP - 500}
    post.clock.stepped_ms = post.timer.now_ms
    async with post.watching():
        await settled()
        assert post.control.told == []
        assert feed(post).pages == []
