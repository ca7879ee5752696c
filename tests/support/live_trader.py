"""A live bot's record, its account at the simulated OKX, and what goes wrong between them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal

from pydantic import SecretStr

from oxbot.adapters.okx.client import OkxClient
from oxbot.adapters.okx.feed import OkxFeed
from oxbot.adapters.okx.place import Place
from oxbot.adapters.okx.private import Keys, OkxAccount
from oxbot.adapters.okx.stops import GRACE_MS
from oxbot.adapters.okx.trading import OkxExchange
from oxbot.app.execute import execute_order
from oxbot.app.ports import Ports
from oxbot.domain.bot import Mode
from oxbot.domain.errors import OutcomeUnknown, VenueUnavailable
from oxbot.domain.money import Notional, Price, Quantity
from oxbot.domain.orders import FENCE_MS, Order, Purpose, Side
from oxbot.messages import ExecuteOrder
from tests.support.simulated_account import SYMBOL, TICK, Simulated, VenueClock, simulated
from tests.unit.app.room import BOT, Room

KEYS = Keys(
    key=SecretStr("key1"),
    secret=SecretStr("secret of key1"),
    passphrase=SecretStr("passphrase of key1"),
)
ID = "b" + "a" * 31
CAPITAL = Notional(10_000)


@dataclass
class Trader:
    """A bot's record, its account at the simulated OKX, and what goes wrong between them."""

    simulator: Simulated
    room: Room
    ports: Ports
    clock: VenueClock

    async def order(self, **changes: object) -> Order:
        """Write an entry down that the book can fill."""
        ask = self.simulator.last + TICK
        fields: dict[str, object] = {
            "id": ID,
            "bot_id": BOT,
            "incarnation": 1,
            "cycle": 1,
            "symbol": SYMBOL,
            "side": Side.BUY,
            "purpose": Purpose.ENTRY,
            "quantity": Quantity("0.01"),
            "limit_price": Price(ask + 1000),
            "expires_ms": self.simulator.venue.clock.now() + 10**9,
            "stop": Decimal("0.035"),
            "target": Decimal("0.07"),
            "epoch": 1,
        }
        order = Order.model_validate(fields | changes)
        self.room.store.orders_by_id[order.id] = order
        return order

    async def leaving(self, quantity: str) -> Order:
        """Write a decision's exit down."""
        return await self.order(
            id="b" + "c" * 31,
            side=Side.SELL,
            purpose=Purpose.DECISION,
            quantity=Quantity(quantity),
            limit_price=None,
            expires_ms=None,
            stop=None,
            target=None,
        )

    async def end(self, order: Order) -> int:
        """Execute an order as Temporal does, again and again; gives how often nobody knew."""
        unknown = 0
        for _ in range(9):
            try:
                await execute_order(self.ports, ExecuteOrder(bot_id=BOT, order_id=order.id))
            except (OutcomeUnknown, VenueUnavailable) as error:
                unknown += isinstance(error, OutcomeUnknown)
                self.simulator.advance(FENCE_MS + GRACE_MS + 1)
            else:
                return unknown
        raise AssertionError("the order never came to its end")

    async def kinds(self) -> list[object]:
        """What happened at the venue, in order."""
        return [event["event"] for event in await self.simulator.happened()]

    async def must_agree(self) -> None:
        """What the record has is what the account has, to the last digit."""
        held = await self.simulator.balances()
        books = await self.room.store.portfolio(BOT)
        coins = sum((p.quantity for p in books.positions.values()), Quantity(0))
        dust = sum(books.dust.values(), Quantity(0))
        assert books.cash == Notional(held["USDT"])
        assert coins + dust == Quantity(held.get("BTC", Decimal(0)))


@asynccontextmanager
async def live_trader(
    capital: Notional = CAPITAL, others: Mapping[str, str] | None = None
) -> AsyncIterator[Trader]:
    """A live bot with this capital, in an account that has coins of others besides."""
    room = Room()
    await room.bot(capital=capital, mode=Mode.LIVE, venue="okx")
    async with simulated(balances={"USDT": str(capital), **(others or {})}) as simulator:
        place = Place(rest_url=simulator.url, timeout_ms=500, throttled=False)
        clock = VenueClock(simulator)
        async with (
            OkxClient(simulator.url, throttled=False) as client,
            OkxAccount(KEYS, place, clock) as account,
        ):
            feed = OkxFeed(client)
            exchange = OkxExchange(account, feed, clock)
            ports = replace(room.ports, live=exchange, clock=clock, feed=feed)
            yield Trader(simulator, room, ports, clock)
