"""Live orders against the simulated OKX: what it has and what is booked agree."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
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
from oxbot.domain.orders import FENCE_MS, Order, OrderState, Purpose, Side
from oxbot.messages import ExecuteOrder
from tests.support.simulated_account import SYMBOL, TICK, Simulated, VenueClock, simulated
from tests.unit.app.room import BOT, Room

pytestmark = pytest.mark.critical

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


@pytest.fixture
async def trader() -> AsyncIterator[Trader]:
    room = Room()
    await room.bot(capital=CAPITAL, mode=Mode.LIVE)
    async with simulated(balances={"USDT": str(CAPITAL)}) as simulator:
        place = Place(rest_url=simulator.url, timeout_ms=500, throttled=False)
        clock = VenueClock(simulator)
        async with (
            OkxClient(simulator.url, throttled=False) as client,
            OkxAccount(KEYS, place, clock) as account,
        ):
            feed = OkxFeed(client)
            exchange = OkxExchange(account, feed, clock)
            ports = replace(room.ports, live=exchange, clock=clock, feed=feed)
            yield Trader(simulator, room, ports)


async def test_an_entry_and_its_exit_leave_the_record_and_the_account_alike(
    trader: Trader,
) -> None:
    entry = await trader.order()
    assert await trader.end(entry) == 0
    assert trader.room.store.orders_by_id[ID].state is OrderState.FILLED
    await trader.must_agree()
    held = (await trader.room.store.portfolio(BOT)).positions[SYMBOL]
    sold = await trader.order(
        id="b" + "c" * 31,
        side=Side.SELL,
        purpose=Purpose.DECISION,
        quantity=Quantity("0.00999"),
        limit_price=None,
        expires_ms=None,
        stop=None,
        target=None,
    )
    assert held.quantity >= sold.quantity
    assert await trader.end(sold) == 0
    await trader.must_agree()
    assert (await trader.room.store.portfolio(BOT)).positions == {}


ON_THE_WAY = ("timeout", "reset", "html", "empty", "http_502", "http_429")
FAULTS: dict[str, dict[str, object]] = {
    **{
        f"{kind} {when}": {"kind": kind, "when": when}
        for kind in ON_THE_WAY
        for when in ("before", "after")
    },
    "truncated": {"kind": "truncated"},
    "nulls": {"kind": "nulls"},
    "busy before": {"kind": "code", "code": "50013", "when": "before"},
    "busy after": {"kind": "code", "code": "50013", "when": "after"},
    "acknowledged as a duplicate": {"kind": "duplicate_ack"},
    "seen late": {"kind": "delayed_visibility", "hidden_ms": GRACE_MS // 2},
    "maintenance": {"kind": "maintenance"},
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_whatever_goes_wrong_with_an_entry_it_is_taken_once_and_booked_as_it_was_filled(
    trader: Trader, fault: dict[str, object]
) -> None:
    trader.simulator.fault(endpoint="trade/batch-orders", count=1, **fault)
    await trader.end(await trader.order())
    assert (await trader.kinds()).count("order") == 1
    assert trader.room.store.orders_by_id[ID].state is OrderState.FILLED
    await trader.must_agree()


@pytest.mark.parametrize("endpoint", ["trade/order", "trade/fills-history"])
@pytest.mark.parametrize("kind", ["timeout", "reset", "truncated", "html", "empty", "nulls"])
async def test_whatever_goes_wrong_with_looking_it_is_looked_again(
    trader: Trader, endpoint: str, kind: str
) -> None:
    trader.simulator.fault(endpoint=endpoint, count=2, kind=kind)
    assert await trader.end(await trader.order()) > 0
    assert (await trader.kinds()).count("order") == 1
    await trader.must_agree()


async def test_a_request_that_arrives_after_its_fence_does_nothing(trader: Trader) -> None:
    """A first attempt that was held up sends when a second has looked, and finds it too late."""
    order = await trader.order()
    now = await trader.ports.clock.reading()
    late = order.model_copy(update={"fence_ms": now.venue_ms + FENCE_MS})
    trader.simulator.advance(FENCE_MS + GRACE_MS + 1)
    assert await trader.ports.account.look_up(late) is None
    with pytest.raises(OutcomeUnknown):
        await trader.ports.account.place(late, now)
    assert "order" not in await trader.kinds()
    await trader.end(order)
    assert (await trader.kinds()).count("order") == 1
    await trader.must_agree()


async def test_an_entry_that_is_filled_in_part_is_booked_in_part(trader: Trader) -> None:
    trader.simulator.fault(endpoint="trade/batch-orders", count=1, kind="partial", share="0.5")
    await trader.end(await trader.order())
    order = trader.room.store.orders_by_id[ID]
    assert order.state is OrderState.FILLED
    assert "partly filled" in order.reason
    await trader.must_agree()
