"""What a bot owns, whatever of a coin it has: a position, dust, an entry under way, or some."""

from itertools import product

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from oxbot.adapters.postgres.schema import dust
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.domain.money import Notional, Price, Quantity
from oxbot.domain.orders import Order
from oxbot.domain.portfolio import Portfolio
from tests.support.trading import INSTRUMENT, NOW_MS, entry, fill, intend, new_bot

pytestmark = pytest.mark.critical

KINDS = list(product((False, True), ("0.5", "0", None), (False, True)))
"""Of each coin: whether it is held, its row of dust, and whether an entry is under way."""

COINS = [f"COIN{number}/USDT" for number in range(len(KINDS))]
LITTLE = Quantity("0.001")


def little(bot_id: str, cycle: int, symbol: str) -> Order:
    """An entry for so little that a bot can pay for many."""
    return entry(bot_id, cycle, symbol=symbol, quantity=LITTLE)


async def own(store: PostgresStore, engine: AsyncEngine, bot_id: str) -> Portfolio:
    """Let a bot have one coin of each kind; give its portfolio."""
    for symbol, (held, rest, enters) in zip(COINS, KINDS, strict=True):
        if held:
            order = little(bot_id, 1 + 2 * COINS.index(symbol), symbol)
            await intend(store, order)
            assert await store.claim(order.id, NOW_MS)
            await store.settle(order.id, [fill(order)], INSTRUMENT)
        if rest is not None:
            row = {"bot_id": bot_id, "symbol": symbol, "quantity": Quantity(rest)}
            async with engine.begin() as connection:
                await connection.execute(insert(dust).values(row))
        if enters:
            await intend(store, little(bot_id, 2 + 2 * COINS.index(symbol), symbol))
    return await store.portfolio(bot_id)


async def test_every_coin_is_seen_once_and_none_hides_another(
    store: PostgresStore, engine: AsyncEngine
) -> None:
    for bot_id in ("b1", "b2"):
        await new_bot(store, bot_id)
    one, other = [await own(store, engine, bot_id) for bot_id in ("b1", "b2")]
    kinds = list(zip(COINS, KINDS, strict=True))
    bought = {symbol for symbol, (held, _, _) in kinds if held}
    rests = {symbol: Quantity(rest) for symbol, (_, rest, _) in kinds if rest == "0.5"}
    assert one.cash == Notional(10_000) - LITTLE * Price(60_000) * len(bought)
    assert one.reserved == LITTLE * Price(60_100) * sum(enters for _, _, enters in KINDS)
    assert one.positions.keys() == bought
    assert {position.quantity for position in one.positions.values()} == {Quantity("0.000999")}
    assert one.dust == rests
    assert (other.cash, other.reserved, other.dust) == (one.cash, one.reserved, one.dust)
