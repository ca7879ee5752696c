"""Settlement: money moves once, wholly, and adds up."""

import asyncio
from decimal import Decimal

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from oxbot.adapters.postgres.schema import fills as fill_rows
from oxbot.adapters.postgres.schema import ledger_entries
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.domain.errors import LedgerBroken
from oxbot.domain.money import Notional, Price, Quantity
from oxbot.domain.orders import OrderState, Purpose, Side
from oxbot.domain.portfolio import Direction
from tests.support.trading import (
    BTC,
    INSTRUMENT,
    NOW_MS,
    bought,
    entry,
    fill,
    intend,
    leave,
    new_bot,
    quote,
)

pytestmark = pytest.mark.critical


async def test_an_entry_moves_cash_into_a_position_and_stays_balanced(
    store: PostgresStore,
) -> None:
    await new_bot(store)
    order = await bought(store)
    portfolio = await store.portfolio("b1")
    assert order.state is OrderState.FILLED
    assert portfolio.cash == 4000
    assert portfolio.reserved == 0
    assert portfolio.positions[BTC].quantity == Decimal("0.0999")
    assert portfolio.positions[BTC].cost == 5994
    audit = await store.audit("b1")
    assert (audit.fills, audit.drift, audit.unbalanced) == (1, Decimal(0), 0)
    assert audit.cash_stored == audit.cash_recomputed == 4000


async def test_a_round_trip_leaves_a_trade_and_no_position(store: PostgresStore) -> None:
    await new_bot(store)
    await bought(store)
    order = leave("b1", 2, "0.0999")
    await intend(store, order)
    await store.settle(order.id, [fill(order, "63000", at_ms=NOW_MS + 5000)], INSTRUMENT)
    portfolio = await store.portfolio("b1")
    (trade,) = await store.trades("b1", 10)
    received = Quantity("0.0999") * Price(63000) * Decimal("0.999")
    assert portfolio.positions == {}
    assert portfolio.cash == Notional(4000) + received
    assert trade.net_pnl == received - Notional(6000)
    assert (trade.opened_ms, trade.closed_ms, trade.exit) == (NOW_MS, NOW_MS + 5000, Purpose.STOP)
    assert await store.last_exits("b1") == {BTC: NOW_MS + 5000}
    assert (await store.audit("b1")).drift == 0


async def test_settling_the_same_fills_again_changes_nothing(store: PostgresStore) -> None:
    await new_bot(store)
    order = await bought(store)
    before = await store.portfolio("b1")
    again = await store.settle(order.id, [fill(order)], INSTRUMENT)
    assert again == order
    assert await store.portfolio("b1") == before
    assert (await store.audit("b1")).drift == 0


async def test_of_many_settlements_at_once_one_books_and_all_agree(store: PostgresStore) -> None:
    await new_bot(store)
    for cycle in range(1, 11):
        order = entry("b1", cycle, quantity=Quantity("0.01"))
        await intend(store, order)
        answers = await asyncio.gather(
            *(store.settle(order.id, [fill(order)], INSTRUMENT) for _ in range(6))
        )
        assert len({answer.model_dump_json() for answer in answers}) == 1
    portfolio = await store.portfolio("b1")
    audit = await store.audit("b1")
    assert portfolio.cash == 10_000 - 10 * 600
    assert portfolio.positions[BTC].version == 10
    assert (audit.fills, audit.drift, audit.unbalanced) == (10, Decimal(0), 0)


async def test_bots_settle_side_by_side_without_waiting_for_each_other_forever(
    store: PostgresStore,
) -> None:
    for bot_id in ("b1", "b2", "b3"):
        await new_bot(store, bot_id)
    await asyncio.gather(*(bought(store, bot_id) for bot_id in ("b1", "b2", "b3")))
    for bot_id in ("b1", "b2", "b3"):
        assert (await store.audit(bot_id)).drift == 0


async def test_an_attempt_that_knows_more_fills_books_only_the_new_ones(
    store: PostgresStore,
) -> None:
    await new_bot(store)
    order = entry("b1")
    await intend(store, order)
    half = order.quantity / 2
    one = fill(order, quantity=half, trade_id="1")
    two = fill(order, "60050", quantity=half, trade_id="2", at_ms=NOW_MS + 1)
    part = await store.settle(order.id, [one], INSTRUMENT)
    whole = await store.settle(order.id, [two, one, two], INSTRUMENT)
    assert (part.state, part.reason) == (OrderState.FILLED, "partly filled, rest cancelled")
    assert (whole.state, whole.reason) == (OrderState.FILLED, "")
    assert await store.fills(order.id) == [one, two]
    assert (await store.portfolio("b1")).cash == Notional(10_000) - half * Price(
        60000
    ) - half * Price(60050)
    assert (await store.audit("b1")).drift == 0


async def test_no_fill_at_all_cancels_the_order(store: PostgresStore) -> None:
    await new_bot(store)
    order = entry("b1")
    await intend(store, order)
    ended = await store.settle(order.id, [], INSTRUMENT)
    assert (ended.state, ended.reason) == (OrderState.CANCELLED, "nothing was filled")
    assert (await store.portfolio("b1")).cash == 10_000


async def test_a_late_fill_of_a_cancelled_order_is_booked_all_the_same(
    store: PostgresStore,
) -> None:
    """What the exchange executed is a fact, whatever was believed before."""
    await new_bot(store)
    order = entry("b1")
    await intend(store, order)
    await store.finish_order(order, OrderState.CANCELLED, "expired")
    ended = await store.settle(order.id, [fill(order)], INSTRUMENT)
    assert ended.state is OrderState.FILLED
    assert BTC in (await store.portfolio("b1")).positions


async def test_a_late_fill_that_overdraws_the_account_keeps_no_exit_from_being_intended(
    store: PostgresStore,
) -> None:
    await new_bot(store)
    late = entry("b1")
    await intend(store, late)
    await store.finish_order(late, OrderState.CANCELLED, "expired")
    await bought(store, cycle=2)
    await store.settle(late.id, [fill(late)], INSTRUMENT)
    assert (await store.portfolio("b1")).cash == -2_000
    leaving = leave("b1", 3, "0.1998")
    await intend(store, leaving)
    await store.settle(leaving.id, [fill(leaving)], INSTRUMENT)
    assert (await store.portfolio("b1")).positions == {}
    assert (await store.audit("b1")).drift == 0


@pytest.mark.parametrize(
    "change",
    [
        {"order_id": "another"},
        {"symbol": "ETH/USDT", "fee_currency": "ETH"},
        {"side": "sell"},
        {"quantity": Quantity("0.10000001")},
    ],
)
async def test_a_fill_that_is_not_of_the_order_is_refused_and_nothing_is_booked(
    store: PostgresStore, change: dict[str, object]
) -> None:
    await new_bot(store)
    order = entry("b1")
    await intend(store, order)
    strange = fill(order).model_validate({**fill(order).model_dump(), **change})
    with pytest.raises(LedgerBroken):
        await store.settle(order.id, [strange], INSTRUMENT)
    assert await store.fills(order.id) == []
    assert (await store.order(order.id)).state is OrderState.INTENDED


async def test_a_trade_booked_for_one_order_is_not_booked_for_another(
    store: PostgresStore,
) -> None:
    await new_bot(store)
    first = await bought(store)
    second = entry("b1", 2, quantity=Quantity("0.01"))
    await intend(store, second)
    stolen = fill(second, trade_id=fill(first).trade_id)
    with pytest.raises(LedgerBroken, match="another order"):
        await store.settle(second.id, [stolen], INSTRUMENT)


async def test_one_bad_fill_undoes_the_good_ones_before_it(store: PostgresStore) -> None:
    await new_bot(store)
    await bought(store)
    before = await store.portfolio("b1")
    order = leave("b1", 2, "0.2")
    await intend(store, order)
    good = fill(order, quantity=Quantity("0.05"), trade_id="1")
    too_much = fill(order, quantity=Quantity("0.1"), trade_id="2")
    with pytest.raises(LedgerBroken, match="are held"):
        await store.settle(order.id, [good, too_much], INSTRUMENT)
    assert (await store.portfolio("b1")).cash == before.cash
    assert await store.fills(order.id) == []


async def test_a_remainder_too_small_to_sell_becomes_dust(store: PostgresStore) -> None:
    await new_bot(store)
    await bought(store)
    order = leave("b1", 2, "0.099895")
    await intend(store, order)
    await store.settle(order.id, [fill(order)], INSTRUMENT)
    portfolio = await store.portfolio("b1")
    assert portfolio.positions == {}
    assert portfolio.dust == {BTC: Decimal("0.000005")}
    assert (await store.audit("b1")).drift == 0
    await bought(store, cycle=3)
    order = leave("b1", 4, "0.099896")
    await intend(store, order)
    await store.settle(order.id, [fill(order, trade_id="d2")], INSTRUMENT)
    assert (await store.portfolio("b1")).dust == {BTC: Decimal("0.000009")}
    assert (await store.audit("b1")).drift == 0


async def test_a_short_is_kept_valued_and_audited_like_a_long_position(
    store: PostgresStore,
) -> None:
    await new_bot(store)
    order = entry("b1", side=Side.SELL)
    await intend(store, order)
    assert await store.claim(order.id, NOW_MS)
    await store.settle(order.id, [fill(order)], INSTRUMENT)
    owing = await store.portfolio("b1")
    assert (owing.cash, owing.positions[BTC].quantity) == (Notional(15_994), Quantity("-0.1"))
    assert owing.equity({BTC: quote(bid="59999.9")}) == Notional(9_994)
    assert (await store.audit("b1")).drift == 0
    order = leave("b1", 2, "0.099995", side=Side.BUY)
    await intend(store, order)
    covered = fill(order, "50000", fee=Decimal(5), fee_currency="USDT")
    await store.settle(order.id, [covered], INSTRUMENT)
    left, (trade,) = await store.portfolio("b1"), await store.trades("b1", 10)
    assert (left.positions, left.dust) == ({}, {BTC: Quantity("-0.000005")})
    assert trade.direction is Direction.SHORT
    assert trade.net_pnl == left.cash - Notional(10_000) - Notional("0.3")
    audit = await store.audit("b1")
    assert (audit.drift, audit.unbalanced) == (Decimal(0), 0)


async def test_what_is_owed_and_what_is_held_as_dust_meet(store: PostgresStore) -> None:
    await new_bot(store)
    await bought(store)
    order = leave("b1", 2, "0.099895")
    await intend(store, order)
    await store.settle(order.id, [fill(order)], INSTRUMENT)
    order = entry("b1", 3, side=Side.SELL)
    await intend(store, order)
    await store.settle(order.id, [fill(order)], INSTRUMENT)
    order = leave("b1", 4, "0.099995", side=Side.BUY)
    await intend(store, order)
    bought_back = fill(order, fee=Decimal(0), fee_currency="USDT")
    await store.settle(order.id, [bought_back], INSTRUMENT)
    assert (await store.portfolio("b1")).dust == {}
    assert (await store.audit("b1")).drift == 0


@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE bots SET cash = cash + 0.000000000001",
        "UPDATE bots SET settings = jsonb_set(settings, '{capital}', '\"10000.01\"')",
        "UPDATE positions SET quantity = quantity + 0.000000000001",
        "UPDATE positions SET cost = cost - 0.01",
        "UPDATE positions SET stop = 0.9",
        "UPDATE positions SET opened_at = opened_at + interval '1 hour'",
        "UPDATE ledger_entries SET amount = amount + 0.01 WHERE account = 'fees'",
        "UPDATE fills SET price = price + 0.1",
        "DELETE FROM positions",
        "INSERT INTO dust VALUES ('b1', 'ETH/USDT', 0.1)",
        "UPDATE trades SET net_pnl = net_pnl + 0.01",
        "UPDATE trades SET fees = fees - 0.01",
        "UPDATE trades SET entry_price = entry_price + 0.01",
        "UPDATE trades SET exit_price = exit_price + 0.01",
        "UPDATE trades SET quantity = quantity / 2",
        "UPDATE trades SET closed_at = opened_at",
        "UPDATE trades SET exit = 'target'",
        "UPDATE trades SET direction = 'short'",
        "DELETE FROM trades",
    ],
)
async def test_the_audit_sees_every_change_of_the_books(
    store: PostgresStore, engine: AsyncEngine, tamper: str
) -> None:
    await new_bot(store)
    await bought(store)
    order = leave("b1", 2, "0.0999")
    await intend(store, order)
    await store.settle(order.id, [fill(order, at_ms=NOW_MS + 5000)], INSTRUMENT)
    await bought(store, cycle=3)
    assert (await store.audit("b1")).drift == 0
    async with engine.begin() as connection:
        await connection.execute(text(tamper))
    assert (await store.audit("b1")).drift > 0


@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE positions SET stop = 0",
        "UPDATE fills SET fee_currency = 'EUR'",
        "UPDATE fills SET fee = quantity",
        "UPDATE orders SET stop = NULL, purpose = 'stop'",
    ],
)
async def test_books_that_cannot_be_made_again_are_told_in_a_sentence(
    store: PostgresStore, engine: AsyncEngine, tamper: str
) -> None:
    await new_bot(store)
    await bought(store)
    async with engine.begin() as connection:
        await connection.execute(text(tamper))
    with pytest.raises(LedgerBroken):
        await store.audit("b1")


async def test_the_audit_counts_postings_that_do_not_balance(
    store: PostgresStore, engine: AsyncEngine
) -> None:
    await new_bot(store)
    await bought(store)
    async with engine.begin() as connection:
        spoilt = "UPDATE ledger_entries SET amount = amount * 2 WHERE account = 'fees'"
        await connection.execute(text(spoilt))
    assert (await store.audit("b1")).unbalanced == 2


async def test_a_paper_fill_names_where_it_was_executed_and_under_which_steps(
    store: PostgresStore, engine: AsyncEngine
) -> None:
    await new_bot(store)
    await bought(store)
    async with engine.begin() as connection:
        row = (await connection.execute(select(fill_rows))).mappings().one()
        postings = set(await connection.scalars(select(ledger_entries.c.posting)))
    assert row["venue"] == "paper:okx"
    assert (row["tick"], row["lot"], row["minimum"]) == (
        INSTRUMENT.tick,
        INSTRUMENT.lot,
        INSTRUMENT.minimum,
    )
    assert postings == {"deposit:1", f"fill:{row['id']}"}


@pytest.mark.critical
@pytest.mark.parametrize("way", ["released", "claimed anew", "ended", "filled"])
async def test_what_a_claim_would_have_traded_counts_only_while_it_stands(
    store: PostgresStore, way: str
) -> None:
    await new_bot(store)
    order = entry("b1")
    await intend(store, order)
    assert await store.claim(order.id, NOW_MS, NOW_MS + 1)
    claim = await store.order(order.id)
    if way == "ended":
        await store.finish_order(claim, OrderState.CANCELLED, "too late")
    elif way == "filled":
        await store.settle(order.id, [fill(order, quantity=order.quantity / 2)], INSTRUMENT)
    else:
        await store.release(claim)
        if way == "claimed anew":
            assert await store.claim(order.id, NOW_MS, NOW_MS + 2)
    before = await store.order(order.id), await store.fills(order.id)
    late = fill(order, trade_id="late")
    assert await store.settle(order.id, [late], INSTRUMENT, claim=claim) == before[0]
    assert (await store.order(order.id), await store.fills(order.id)) == before
    assert (await store.audit("b1")).drift == 0


async def test_what_a_claim_that_stands_has_traded_is_booked(store: PostgresStore) -> None:
    await new_bot(store)
    order = entry("b1")
    await intend(store, order)
    assert await store.claim(order.id, NOW_MS, NOW_MS + 1)
    claim = await store.order(order.id)
    ended = await store.settle(order.id, [fill(order)], INSTRUMENT, claim=claim)
    assert ended.state is OrderState.FILLED
