"""What is gone from an account, taken off a bot's books: exactly that, once, and they agree."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from oxbot.adapters.postgres.statement import PostgresStatements
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.adapters.postgres.write_offs import WRITTEN_OFF
from oxbot.domain.errors import Conflict, NotFound, StoreRefused
from oxbot.domain.money import Notional, Quantity
from oxbot.domain.orders import OrderState, Purpose
from oxbot.domain.resting import StopState
from oxbot.records import SeenAccount, WriteOff
from tests.support.servers import until_waiting
from tests.support.trading import (
    BTC,
    ETH,
    INSTRUMENT,
    NOW_MS,
    bought,
    entry,
    fill,
    intend,
    leave,
    new_bot,
)

pytestmark = pytest.mark.critical

D = Decimal
CASH = D("4000")
"""What a bot of 10,000 USDT has left of it after it has bought."""


@pytest.fixture
async def held(store: PostgresStore) -> PostgresStore:
    """A live bot that has 4,000 USDT and 0.0999 BTC, which have cost 5,994."""
    await new_bot(store, mode="live")
    await bought(store)
    return store


def wish(losses: Mapping[str, str], wish_id: str = "w1", bot_id: str = "b1") -> WriteOff:
    return WriteOff(
        id=wish_id,
        bot_id=bot_id,
        by="a person",
        reason="withdrawn",
        losses={currency: D(amount) for currency, amount in losses.items()},
        at_ms=NOW_MS + 9,
    )


async def seen(store: PostgresStore, **has: str) -> SeenAccount:
    """The account as it was seen, beside what is claimed of it now."""
    balances = {currency: D(amount) for currency, amount in has.items()}
    return SeenAccount(claims=await store.claims("okx"), has=balances)


async def must_agree(store: PostgresStore, bot_id: str = "b1") -> None:
    found = await store.audit(bot_id)
    assert (found.drift, found.unbalanced) == (D(0), 0)


async def test_what_is_gone_of_a_position_leaves_it_with_its_share_of_the_cost(
    held: PostgresStore,
) -> None:
    account = await seen(held, BTC="0.0599", USDT="4000")
    await held.write_off(wish({"BTC": "0.04"}), account)
    books = await held.portfolio("b1")
    position = books.positions[BTC]
    assert (position.quantity, position.version) == (Quantity("0.0599"), 2)
    assert position.cost == Notional("3594")
    assert books.cash == Notional(CASH)
    assert await held.written_off("b1", "w1") == {"BTC": D("0.04")}
    await must_agree(held)


async def test_what_was_lost_is_in_the_trade_that_ends_the_position(held: PostgresStore) -> None:
    account = await seen(held, BTC="0.0599", USDT="4000")
    await held.write_off(wish({"BTC": "0.04"}), account)
    [stop] = await held.resting_stops("b1")
    await held.note_stop(stop.id, StopState.ENDED)
    order = leave("b1", 2, "0.0599")
    await intend(held, order)
    await held.settle(order.id, [fill(order, "60000", at_ms=NOW_MS + 20)], INSTRUMENT)
    [trade] = await held.trades("b1", 9)
    assert trade.net_pnl == (await held.portfolio("b1")).cash - Notional(10_000)
    assert trade.exit == Purpose.STOP
    await must_agree(held)


async def test_what_was_written_off_is_not_there_for_a_sale_that_becomes_known_late(
    held: PostgresStore,
) -> None:
    """The position that is open was bought after it."""
    [stop] = await held.resting_stops("b1")
    await held.note_stop(stop.id, StopState.ENDED)
    late, again = leave("b1", 2, "0.0999"), entry("b1", 3, quantity=Quantity("0.05"))
    await intend(held, late)
    await held.finish_order(late, OrderState.CANCELLED, "OKX never had it")
    await held.write_off(wish({"BTC": "0.0999"}), await seen(held, USDT="4000"))
    await intend(held, again)
    await held.settle(again.id, [fill(again, at_ms=NOW_MS + 20)], INSTRUMENT)
    ended = await held.settle(late.id, [fill(late)], INSTRUMENT, is_late=True)
    assert ended.state is OrderState.CANCELLED
    assert (await held.portfolio("b1")).positions[BTC].quantity == Quantity("0.04995")
    await must_agree(held)


async def test_a_position_that_is_gone_ends_in_a_trade_of_its_own(
    held: PostgresStore, engine: AsyncEngine
) -> None:
    account = await seen(held, USDT="4000")
    await held.write_off(wish({"BTC": "0.0999"}), account)
    assert (await held.portfolio("b1")).positions == {}
    [trade] = await held.trades("b1", 9)
    assert (trade.exit, trade.closed_ms) == ("write_off", NOW_MS + 9)
    assert trade.net_pnl == Notional(-6000)
    assert await held.last_exits("b1") == {BTC: NOW_MS + 9}
    memory = await held.memory("b1", 4)
    assert [past.trade.exit for past in memory.last] == [Purpose.WRITE_OFF]
    await must_agree(held)
    [line] = (await PostgresStatements(engine).statement("b1")).trades
    assert (line.fill, line.exit) == (1, "write_off")


async def test_what_is_left_and_too_little_to_sell_is_dust_which_can_be_lost_as_well(
    held: PostgresStore,
) -> None:
    account = await seen(held, BTC="0.000001", USDT="4000")
    await held.write_off(wish({"BTC": "0.099899"}), account)
    books = await held.portfolio("b1")
    assert (books.positions, books.dust) == ({}, {BTC: Quantity("0.000001")})
    await must_agree(held)
    account = await seen(held, USDT="4000")
    await held.write_off(wish({"BTC": "0.000001"}, "w2"), account)
    assert (await held.portfolio("b1")).dust == {}
    await must_agree(held)


async def test_dust_of_one_coin_is_lost_at_its_own_cost(
    held: PostgresStore, engine: AsyncEngine
) -> None:
    """The ledger's account of dust has the cost of all coins in one currency."""
    for cycle, symbol, quantity in ((2, BTC, "0.000002"), (3, ETH, "0.000004")):
        order = entry("b1", cycle, symbol=symbol, quantity=Quantity(quantity))
        await intend(held, order)
        await held.claim(order.id, NOW_MS)
        steps = INSTRUMENT.model_copy(update={"symbol": symbol})
        await held.settle(order.id, [fill(order, "50000", fee=D(0))], steps)
    books = await held.portfolio("b1")
    assert books.dust == {ETH: Quantity("0.000004")}
    account = await seen(held, USDT=str(books.cash), BTC="1", ETH="0.000001")
    await held.write_off(wish({"ETH": "0.000003"}), account)
    assert (await held.portfolio("b1")).dust == {ETH: Quantity("0.000001")}
    lost = {
        (line.account, line.currency): line.amount
        for line in (await PostgresStatements(engine).statement("b1")).postings
        if line.posting == "write_off:1"
    }
    assert lost == {
        ("dust", "USDT"): D("-0.15"),
        ("lost", "USDT"): D("0.15"),
        ("dust", "ETH"): D("-0.000003"),
        ("lost", "ETH"): D("0.000003"),
    }
    await must_agree(held)


async def test_usdt_that_is_gone_leaves_the_cash_and_all_of_a_wish_is_booked_together(
    held: PostgresStore, engine: AsyncEngine
) -> None:
    account = await seen(held, BTC="0.09", USDT="3000")
    await held.write_off(wish({"BTC": "0.0099", "USDT": "1000"}), account)
    books = await held.portfolio("b1")
    assert (books.cash, books.positions[BTC].quantity) == (Notional(3000), Quantity("0.09"))
    await must_agree(held)
    statement = await PostgresStatements(engine).statement("b1")
    postings = list(dict.fromkeys(line.posting for line in statement.postings))
    assert postings == ["deposit:1", "fill:1", "write_off:1", "write_off:2"]
    cash = [line.amount for line in statement.postings if line.account == "cash"]
    assert sum(cash) == books.cash.number


async def test_it_is_told_by_whom_and_with_the_figures(held: PostgresStore) -> None:
    account = await seen(held, BTC="0.09", USDT="3000")
    await held.write_off(wish({"BTC": "0.0099", "USDT": "1000"}), account)
    [told] = [event for event in await held.events("b1", 9) if event.kind == WRITTEN_OFF]
    assert told.text == (
        "Written off by a person: withdrawn. Gone from the account: 0.0099 BTC, which had cost "
        "594 USDT; 1000 USDT."
    )
    assert told.figures == {
        "by": "a person",
        "reason": "withdrawn",
        "wish": "w1",
        "BTC": "0.0099",
        "USDT": "1000",
        "cost_BTC": "594",
        "cost_USDT": "1000",
    }


async def test_a_wish_is_fulfilled_once_however_often_it_comes(held: PostgresStore) -> None:
    account = await seen(held, BTC="0.0599", USDT="4000")
    await asyncio.gather(*(held.write_off(wish({"BTC": "0.04"}), account) for _ in range(4)))
    await held.write_off(wish({"BTC": "0.04"}), account)
    assert (await held.portfolio("b1")).positions[BTC].quantity == Quantity("0.0599")
    assert len([e for e in await held.events("b1", 9) if e.kind == WRITTEN_OFF]) == 1
    await must_agree(held)


async def test_of_two_bots_that_write_the_same_loss_off_at_once_one_does(
    held: PostgresStore,
) -> None:
    await new_bot(held, "b2", mode="live")
    account = await seen(held, BTC="0.0999", USDT="13000")
    tried = await asyncio.gather(
        *(held.write_off(wish({"USDT": "1000"}, b, b), account) for b in ("b1", "b2")),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in tried) == ["Conflict", "NoneType"]
    assert (await held.claims("okx")).cash == Notional(13_000)
    await must_agree(held)
    await must_agree(held, "b2")


async def test_no_more_is_written_off_than_the_bot_has_and_others_keep_theirs(
    held: PostgresStore,
) -> None:
    await new_bot(held, "b2", mode="live")
    await bought(held, "b2")
    account = await seen(held, BTC="0.05", USDT="8000")
    await held.write_off(wish({"BTC": "0.0999"}), account)
    assert (await held.portfolio("b1")).positions == {}
    assert (await held.portfolio("b2")).positions[BTC].quantity == Quantity("0.0999")
    account = await seen(held, BTC="0.05", USDT="8000")
    await held.write_off(wish({"BTC": "0.0499"}, "w2", "b2"), account)
    assert (await held.claims("okx")).coins == {"BTC": Quantity("0.05")}


@pytest.mark.parametrize(
    ("has", "losses"),
    [
        ({"BTC": "0.0999", "USDT": "4000"}, {"BTC": "0.04"}),
        ({"BTC": "0.0699", "USDT": "4000"}, {"BTC": "0.04"}),
        ({"BTC": "0.0599", "USDT": "3999"}, {"BTC": "0.04"}),
        ({"BTC": "0.0599", "USDT": "4000"}, {"BTC": "0.05"}),
    ],
)
async def test_what_is_not_exactly_what_is_missing_is_refused(
    held: PostgresStore, has: dict[str, str], losses: dict[str, str]
) -> None:
    before = await held.portfolio("b1")
    with pytest.raises(Conflict, match=r"Nothing was written off.*Look again"):
        await held.write_off(wish(losses), await seen(held, **has))
    assert await held.portfolio("b1") == before
    assert await held.written_off("b1", "w1") == {}


async def test_what_has_changed_since_the_account_was_seen_is_refused(held: PostgresStore) -> None:
    await new_bot(held, "b2", mode="live")
    account = await seen(held, BTC="0.0599", USDT="14000")
    await bought(held, "b2", symbol=ETH)
    with pytest.raises(Conflict, match="changed while it was looked at"):
        await held.write_off(wish({"BTC": "0.04"}), account)


async def test_while_an_order_of_the_bot_is_under_way_it_is_refused(held: PostgresStore) -> None:
    await intend(held, entry("b1", 2, symbol=ETH, quantity=Quantity("0.001")))
    account = await seen(held, BTC="0.0599", USDT="4000")
    with pytest.raises(Conflict, match=rf"for {ETH} is under way"):
        await held.write_off(wish({"BTC": "0.04"}), account)


async def test_a_sale_that_is_booked_first_leaves_nothing_to_write_off(
    held: PostgresStore, engine: AsyncEngine
) -> None:
    """Who waits for the bot's row sees what the other has left."""
    [stop] = await held.resting_stops("b1")
    await held.note_stop(stop.id, StopState.ENDED)
    order = leave("b1", 2, "0.0999")
    await intend(held, order)
    account = await seen(held, USDT="4000")
    async with engine.begin() as connection:
        await connection.exec_driver_sql("SELECT 1 FROM bots WHERE id = 'b1' FOR UPDATE")
        selling = asyncio.create_task(held.settle(order.id, [fill(order)], INSTRUMENT))
        await until_waiting(engine, 1)
        writing = asyncio.create_task(held.write_off(wish({"BTC": "0.0999"}), account))
        await until_waiting(engine, 2)
    await selling
    with pytest.raises(Conflict, match="changed while it was looked at"):
        await writing
    await must_agree(held)


async def test_of_a_bot_that_is_not_there_nothing_is_written_off(store: PostgresStore) -> None:
    with pytest.raises(NotFound):
        await store.write_off(wish({"USDT": "1"}), await seen(store))


async def test_no_order_is_a_write_off(held: PostgresStore) -> None:
    with pytest.raises(StoreRefused, match="purpose"):
        await intend(held, leave("b1", 2, "0.01", purpose=Purpose.WRITE_OFF))


async def test_trading_goes_on_after_a_loss_and_the_audit_books_in_that_order(
    held: PostgresStore,
) -> None:
    """The same coins bought before and after a loss have other average costs."""
    await held.write_off(wish({"BTC": "0.04"}), await seen(held, BTC="0.0599", USDT="4000"))
    again = entry("b1", 2, quantity=Quantity("0.05"))
    await intend(held, again)
    assert await held.claim(again.id, NOW_MS)
    await held.settle(again.id, [fill(again, "59000")], INSTRUMENT)
    await must_agree(held)
    books = await held.portfolio("b1")
    account = await seen(held, USDT=str(books.cash), BTC="0.1")
    await held.write_off(wish({"BTC": "0.00985"}, "w2"), account)
    await must_agree(held)
