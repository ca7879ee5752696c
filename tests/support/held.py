"""Positions in the record in memory, without the cycles that would have led to them."""

from decimal import Decimal
from typing import Final

from oxbot.domain.market import Instrument
from oxbot.domain.money import Notional, Price, Quantity
from oxbot.domain.orders import Fill, Order, OrderKey, Purpose, Side
from tests.support.fake_store import FakeStore

PRICE: Final = 60_000
STOP: Final = 57_900
TARGET: Final = 64_200
"""Of a coin bought at `PRICE` USDT."""


async def trade(
    store: FakeStore, side: Side, bot_id: str, symbol: str, at_ms: int, **how: object
) -> None:
    """Have a bot buy or sell one coin at `PRICE`, and put that on record."""
    buys = side is Side.BUY
    number = len(store.orders_by_id) + 1
    purpose = Purpose.ENTRY if buys else Purpose.STOP
    order = Order(
        id=_id(bot_id, number, symbol, purpose),
        bot_id=bot_id,
        incarnation=1,
        cycle=number,
        symbol=symbol,
        side=side,
        purpose=purpose,
        quantity=Quantity(1),
        epoch=1,
        stop=Decimal("0.035") if buys else None,
        target=Decimal("0.07") if buys else None,
    ).model_copy(update=how)
    fill = Fill(
        trade_id=order.id,
        order_id=order.id,
        symbol=symbol,
        side=side,
        quantity=order.quantity,
        price=Price(PRICE),
        fee=Decimal(0),
        fee_currency="USDT",
        at_ms=at_ms,
    )
    listed = Instrument(
        symbol=symbol, tick=Price("0.01"), lot=Quantity("0.0001"), minimum=Quantity("0.001")
    )
    store.orders_by_id[order.id] = order
    store.cash[bot_id] = max(store.cash[bot_id], Notional(10**6))
    await store.settle(order.id, [fill], listed)


def _id(bot_id: str, number: int, symbol: str, purpose: Purpose) -> str:
    return OrderKey(
        installation="held",
        bot_id=bot_id,
        incarnation=1,
        cause=f"c{number}",
        symbol=symbol,
        purpose=purpose,
    ).order_id
