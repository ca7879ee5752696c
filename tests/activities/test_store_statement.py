"""Statements from real PostgreSQL: the same books are the same, whatever their rows are called."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from oxbot.adapters.postgres.statement import PostgresStatements
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.app.statement import Statement, ledger_sha256
from oxbot.domain.money import Quantity
from tests.support.trading import BTC, ETH, INSTRUMENT, NOW_MS, bought, fill, intend, leave, new_bot

pytestmark = pytest.mark.critical


async def round_trip(store: PostgresStore, bot_id: str) -> None:
    """Buy 0.1 BTC, and sell what the fee left of it in two fills."""
    await bought(store, bot_id)
    order = leave(bot_id, 2, "0.0999")
    await intend(store, order)
    parts = [
        fill(order, "63000", quantity=Quantity(part), trade_id=f"{part}-{order.id}", at_ms=at_ms)
        for part, at_ms in (("0.05", NOW_MS + 5000), ("0.0499", NOW_MS + 6000))
    ]
    await store.settle(order.id, parts, INSTRUMENT)


async def test_a_statement_has_every_fill_trade_and_posting_in_the_order_of_settlement(
    store: PostgresStore, engine: AsyncEngine
) -> None:
    await new_bot(store)
    await round_trip(store, "b1")
    books = await PostgresStatements(engine).statement("b1")
    assert [(f.side, f.quantity, f.at_ms - NOW_MS) for f in books.fills] == [
        ("buy", Quantity("0.1"), 0),
        ("sell", Quantity("0.05"), 5000),
        ("sell", Quantity("0.0499"), 6000),
    ]
    assert [fill.seen_ms for fill in books.fills] == [NOW_MS] * 3
    assert [(t.fill, t.symbol, t.exit, t.closed_ms - NOW_MS) for t in books.trades] == [
        (3, BTC, "stop", 6000)
    ]
    assert list(dict.fromkeys(line.posting for line in books.postings)) == [
        *("deposit:1", "fill:1", "fill:2", "fill:3")
    ]
    cash = [line.amount for line in books.postings if line.account == "cash"]
    assert sum(cash) == (await store.portfolio("b1")).cash


async def test_two_bots_with_the_same_books_have_the_same_statement(
    store: PostgresStore, engine: AsyncEngine
) -> None:
    """The second one's rows lie between those of others, with other numbers and order ids."""
    for bot_id in ("b1", "b2", "b3"):
        await new_bot(store, bot_id)
    await round_trip(store, "b1")
    await bought(store, "b3")
    await round_trip(store, "b2")
    first, second, third = [
        await PostgresStatements(engine).statement(bot_id) for bot_id in ("b1", "b2", "b3")
    ]
    assert _as_b1(second) == first
    assert ledger_sha256([_as_b1(second)]) == ledger_sha256([first])
    assert ledger_sha256([_as_b1(third)]) != ledger_sha256([first])


async def test_coins_sold_in_the_same_millisecond_stand_in_their_own_order(
    store: PostgresStore, engine: AsyncEngine
) -> None:
    """Two bots sell two coins at one moment; chance settles them the other way round."""
    for bot_id, sold in (("b1", (BTC, ETH)), ("b2", (ETH, BTC))):
        await new_bot(store, bot_id)
        for cycle, symbol in enumerate((BTC, ETH), start=1):
            await bought(store, bot_id, cycle, symbol=symbol, quantity=Quantity("0.05"))
        for cycle, symbol in enumerate(sold, start=3):
            order = leave(bot_id, cycle, "0.0499", symbol=symbol)
            await intend(store, order)
            await store.settle(order.id, [fill(order, "63000", at_ms=NOW_MS + 5)], INSTRUMENT)
    first, second = [await PostgresStatements(engine).statement(b) for b in ("b1", "b2")]
    assert [f.symbol for f in first.fills[2:]] == [BTC, ETH]
    assert _as_b1(second) == first


def _as_b1(books: Statement) -> Statement:
    return books.model_copy(update={"bot_id": "b1"})
