"""The rules at work: what is intended, once, within the limits, and never left behind."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.app.shared import Shared
from oxbot.domain.bot import RiskLimits
from oxbot.domain.errors import Conflict, Unavailable, VenueUnavailable
from oxbot.domain.market import CANDLE_MS, ClockReading, Instrument, Quote
from oxbot.domain.money import Notional, Price, Quantity, floor_to
from oxbot.domain.orders import Fill, OrderState, Purpose, Side
from oxbot.domain.risk import Ruling
from oxbot.messages import OrderBrief
from oxbot.records import Judge
from tests.support.fake_store import FakeStore
from tests.support.fakes import BTC, ETH, FakeBoard, FakeFeed
from tests.support.trading import entry, ruled
from tests.unit.app.room import BOT, NOW_MS, Room

pytestmark = pytest.mark.critical

STOPPED_OUT = Price(57_000)
LOT = Quantity("0.0001")


async def test_judging_again_stores_nothing_new_and_reports_the_same(room: Room) -> None:
    await room.bot()
    room.model.will_buy(BTC)
    first = await room.judge()
    room.reprice(BTC, Price(30_000))
    again = await room.validate()
    assert again.orders == first.orders
    assert again.verdicts == first.verdicts
    assert list(room.store.orders_by_id) == [order.id for order in first.orders]


async def test_entries_left_over_are_cancelled(room: Room) -> None:
    await room.bot()
    room.model.will_buy(BTC)
    [order] = (await room.judge(1)).orders
    assert (await room.judge(2)).orders == ()
    cancelled = await room.store.order(order.id)
    assert cancelled.state is OrderState.CANCELLED
    assert "within its cycle" in cancelled.reason
    assert (await room.store.portfolio(BOT)).reserved == 0


@pytest.mark.parametrize("trailing", [None, "0.02"])
async def test_an_entry_carries_the_trailing_stop_of_its_bot_and_an_exit_none(
    room: Room, trailing: str | None
) -> None:
    await room.bot(limits={"trailing": trailing})
    room.model.will_buy(BTC)
    [entering] = (await room.judge(1)).orders
    assert (await room.store.order(entering.id)).trail == (trailing and Decimal(trailing))
    await room.execute(entering.id)
    room.reprice(BTC, STOPPED_OUT)
    [leaving] = (await room.judge(2)).orders
    assert (await room.store.order(leaving.id)).trail is None


async def test_exits_left_over_are_handed_out_again_and_not_doubled(room: Room) -> None:
    await room.bot()
    await room.buy(BTC)
    room.reprice(BTC, STOPPED_OUT)
    [leaving] = (await room.judge(2)).orders
    assert leaving.purpose is Purpose.STOP
    assert (await room.judge(3)).orders == (leaving,)
    assert len(await room.store.unfinished_orders(BOT)) == 1


async def test_a_sent_entry_is_handed_out_again_until_its_end_is_known(room: Room) -> None:
    await room.bot()
    room.model.will_buy(BTC)
    [order] = (await room.judge(1)).orders
    assert await room.store.claim(order.id, NOW_MS)
    assert (await room.judge(2)).orders == (order,)
    assert (await room.validate(2, entries=False)).orders == (order,)


async def test_where_no_entries_are_wanted_none_is_judged_and_stops_still_act(room: Room) -> None:
    await room.bot()
    await room.buy(BTC)
    room.reprice(BTC, STOPPED_OUT)
    room.model.will_buy(ETH)
    await room.observe(2)
    await room.decide(2)
    report = await room.validate(2, entries=False)
    assert [(order.symbol, order.purpose) for order in report.orders] == [(BTC, Purpose.STOP)]


async def test_flattening_sells_everything_whatever_the_model_wants(room: Room) -> None:
    await room.bot()
    await room.buy(BTC, ETH)
    await room.observe(2)
    report = await room.validate(2, entries=False, flatten=True)
    assert {(o.symbol, o.purpose, o.side) for o in report.orders} == {
        (BTC, Purpose.FLATTEN, Side.SELL),
        (ETH, Purpose.FLATTEN, Side.SELL),
    }


async def test_a_coin_that_is_being_left_is_not_closed_a_second_time(room: Room) -> None:
    await room.bot()
    await room.buy(BTC)
    room.reprice(BTC, STOPPED_OUT)
    room.model.will_close(BTC)
    [order] = (await room.judge(2)).orders
    assert order.purpose is Purpose.STOP
    assert "in flight" in [verdict.rule for verdict in await room.store.verdicts(BOT, 2)]


@given(
    capital=st.decimals(Decimal(100), Decimal(10**6), places=2),
    position=st.decimals(Decimal("0.05"), Decimal("0.9"), places=2),
)
async def test_two_proposals_of_one_cycle_cannot_overspend_together(
    capital: Decimal, position: Decimal
) -> None:
    room, exposure = Room(), Decimal("0.9")
    limits = RiskLimits(max_position=position, max_exposure=exposure)
    await room.bot(capital=capital, limits=limits)
    room.model.will_buy(BTC, ETH)
    report = await room.judge()
    orders = [await room.store.order(order.id) for order in report.orders]
    spent = sum((o.quantity * (o.limit_price or Price(0)) for o in orders), Notional(0))
    assert spent <= capital * exposure
    assert (await room.store.portfolio(BOT)).reserved == spent


async def test_the_second_proposal_sees_what_the_first_has_reserved(room: Room) -> None:
    limits = RiskLimits(max_position=Decimal("0.6"), max_exposure=Decimal("0.85"))
    await room.bot(limits=limits)
    room.model.will_buy(BTC, ETH)
    await room.judge()
    first, second = await room.store.verdicts(BOT, 1)
    assert (first.symbol, first.ruling) == (BTC, Ruling.APPROVED)
    assert (second.symbol, second.ruling) == (ETH, Ruling.REDUCED)
    assert Decimal(second.figures["exposure_usdt"]) < 2_600


@given(
    lots=st.integers(100, 10_000),
    fee=st.decimals(Decimal(0), Decimal("0.00099"), places=12),
)
async def test_exits_are_whole_lots_and_leave_less_than_one(lots: int, fee: Decimal) -> None:
    """The fee of a buy is taken in the coin: what is held is no multiple of the lot."""
    room = Room()
    await room.bot()
    await room.observe(1)
    bought = entry(BOT, quantity=lots * LOT, expires_ms=NOW_MS + 1)
    await room.store.judge_cycle(BOT, 1, ruled(bought), entering=True)
    await room.store.settle(bought.id, [_filled(bought.id, lots * LOT, fee)], await _btc(room))
    held = (await room.store.portfolio(BOT)).positions[BTC].quantity
    room.reprice(BTC, STOPPED_OUT)
    [leaving] = (await room.judge(2)).orders
    _must_be_sellable(leaving, held)
    assert (await room.execute(leaving.id)).filled == leaving.quantity
    assert (await room.store.portfolio(BOT)).positions == {}


def _filled(order_id: str, quantity: Quantity, fee: Decimal) -> Fill:
    return Fill(
        trade_id="t1",
        order_id=order_id,
        symbol=BTC,
        side=Side.BUY,
        quantity=quantity,
        price=Price(60_000),
        fee=fee,
        fee_currency="BTC",
        at_ms=NOW_MS,
    )


async def _btc(room: Room) -> Instrument:
    return (await room.feed.instruments([BTC]))[BTC]


def _must_be_sellable(order: OrderBrief, held: Quantity) -> None:
    assert floor_to(order.quantity, LOT) == order.quantity
    assert 0 <= held - order.quantity < LOT


async def test_without_any_price_nothing_is_bought_and_it_is_noted_what_is_unwatched(
    room: Room,
) -> None:
    await room.bot()
    await room.buy(BTC)
    await room.observe(2)
    room.model.will_buy(ETH)
    await room.decide(2)
    room.feed.away = True
    room.now_ms += 16_000
    assert (await room.validate(2)).orders == ()
    told = {v.symbol: (v.ruling, v.rule) for v in await room.store.verdicts(BOT, 2)}
    assert told == {BTC: (Ruling.NOTED, "price age"), ETH: (Ruling.REFUSED, "price age")}


async def test_a_held_coin_that_the_bot_trades_no_more_is_stopped_out_like_any_other(
    room: Room,
) -> None:
    bot = await room.bot()
    await room.buy(BTC)
    fewer = bot.settings.model_copy(update={"symbols": (ETH,)})
    room.store.bots_by_id[BOT] = bot.model_copy(update={"settings": fewer})
    room.reprice(BTC, STOPPED_OUT)
    await room.observe(2)
    [order] = (await room.validate(2, entries=False)).orders
    assert (order.symbol, order.purpose) == (BTC, Purpose.STOP)


async def test_what_is_held_without_any_price_is_named(room: Room) -> None:
    await room.bot()
    await room.buy(BTC)
    await room.observe(2)
    room.board, room.shared = FakeBoard(), Shared()
    room.feed.mute.add(BTC)
    report = await room.validate(2)
    assert report.unpriced == (BTC,)
    [held] = report.positions
    assert held.age_ms is None
    assert held.unrealised == 0


async def test_a_held_coin_that_was_delisted_keeps_no_other_from_being_judged(room: Room) -> None:
    await room.bot()
    await room.buy(BTC, ETH)
    await room.observe(2)
    del room.feed.prices[ETH]
    room.now_ms += 4 * 3_600_000
    room.reprice(BTC, Price(57_000))
    report = await room.validate(2, entries=False)
    assert [order.symbol for order in report.orders] == [BTC]
    told = {verdict.symbol: verdict for verdict in await room.store.verdicts(BOT, 2)}
    assert (told[BTC].ruling, told[BTC].rule) == (Ruling.DEMANDED, "stop")
    assert (told[ETH].ruling, told[ETH].rule) == (Ruling.NOTED, "longest hold")
    assert "the exchange lists this coin no more" in told[ETH].reason


async def test_longest_hold_needs_no_price(room: Room) -> None:
    await room.bot()
    await room.buy(BTC)
    await room.observe(2)
    room.feed.away = True
    room.now_ms += RiskLimits().longest_hold_s * 1000
    [order] = (await room.validate(2, entries=False)).orders
    assert order.purpose is Purpose.HOLD


async def test_a_price_that_moved_since_the_model_saw_it_is_not_bought(room: Room) -> None:
    await room.bot()
    room.model.will_buy(BTC)
    await room.observe()
    await room.decide()
    room.reprice(BTC, Price(60_181))
    assert (await room.validate()).orders == ()
    assert [verdict.rule for verdict in await room.store.verdicts(BOT, 1)] == ["price moved"]


async def test_where_a_coin_became_busy_meanwhile_nothing_is_stored_and_it_is_judged_anew() -> None:
    """Tried again, the order that came in between is seen."""
    other = entry(BOT, id="other")

    class Overtaken(FakeStore):
        async def judge_cycle(
            self, bot_id: str, cycle: int, judge: Judge, *, entering: bool
        ) -> None:
            self.orders_by_id[other.id] = other
            await super().judge_cycle(bot_id, cycle, judge, entering=entering)

    room = Room(store=Overtaken())
    await room.bot()
    room.model.will_buy(BTC)
    with pytest.raises(Unavailable, match="judged anew"):
        await room.judge()
    assert list(room.store.orders_by_id) == [other.id]
    assert await room.store.verdicts(BOT, 1) == []
    assert [order.id for order in (await room.validate()).orders] == [other.id]
    assert [verdict.rule for verdict in await room.store.verdicts(BOT, 1)] == ["duplicate"]


@pytest.mark.critical
async def test_while_there_is_time_it_rather_fails_than_judges_by_old_prices(room: Room) -> None:
    await room.bot()
    await room.buy(BTC)
    room.now_ms += CANDLE_MS
    await room.observe(2)
    await room.decide(2)
    room.feed.away = True
    room.now_ms += 20_000
    with pytest.raises(VenueUnavailable, match="too old to serve"):
        await room.validate(2, patient=True)
    assert await room.store.verdicts(BOT, 2) == []
    assert [p.symbol for p in (await room.validate(2)).positions] == [BTC]


@pytest.mark.critical
async def test_a_bot_of_another_venue_is_not_judged_by_prices_from_here(room: Room) -> None:
    await room.bot(venue="okx")
    with pytest.raises(Conflict, match="two worlds"):
        await room.validate(entries=False)


@pytest.mark.critical
async def test_ages_are_counted_from_the_end_of_the_wait_for_prices(room: Room) -> None:
    class Slow(FakeFeed):
        async def all_quotes(self, now: ClockReading) -> list[Quote]:
            room.now_ms += 20_000
            room.clock.stepped_ms = room.now_ms
            return await super().all_quotes(now)

    await room.bot()
    room.model.will_buy(BTC)
    await room.observe()
    await room.decide()
    room.shared, room.feed = Shared(), Slow(room.feed.prices)
    room.board = FakeBoard()
    report = await room.validate()
    assert report.orders == ()
    assert any("price age" in verdict for verdict in report.verdicts)


async def test_a_reduced_position_is_protected_as_before_and_its_rest_is_closed_later(
    room: Room,
) -> None:
    """The stop sells the rest: no more than is left, and one trade ends it all."""
    await room.bot(limits={"shortest_hold_s": 0})
    await room.buy(BTC)
    before = (await room.store.portfolio(BOT)).positions[BTC]
    room.model.will_reduce(BTC, "0.4")
    (order,) = (await room.judge(2)).orders
    assert (order.purpose, order.side) == (Purpose.DECISION, Side.SELL)
    await room.execute(order.id)
    left = (await room.store.portfolio(BOT)).positions[BTC]
    assert left.quantity == before.quantity - order.quantity
    assert (left.stop_price, left.target_price) == (before.stop_price, before.target_price)
    assert left.version == before.version + 1
    assert await room.store.trades(BOT, 9) == []
    room.reprice(BTC, Price(57_000))
    (stop,) = (await room.judge(3)).orders
    assert stop.purpose is Purpose.STOP
    assert stop.quantity <= left.quantity
    await room.execute(stop.id)
    (trade,) = await room.store.trades(BOT, 9)
    assert (trade.exit, trade.quantity) == ("stop", before.entry_quantity)
    assert (await room.store.audit(BOT)).drift == 0


async def test_a_coin_that_is_held_is_not_bought_again(room: Room) -> None:
    await room.bot()
    await room.buy(BTC)
    room.model.will_buy(BTC)
    report = await room.judge(2)
    assert report.orders == ()
    (told,) = report.verdicts
    assert "BTC/USDT entry refused by duplicate: a position in this coin is open" in told
