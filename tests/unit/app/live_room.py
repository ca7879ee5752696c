"""A live bot's room: an account that has other coins besides, and a clock that is a number."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from oxbot.app.execute import execute_order
from oxbot.app.ports import Ports
from oxbot.app.protected import About, close, keep_protected
from oxbot.app.reconciliation import reconcile_bot
from oxbot.domain.bot import Mode
from oxbot.domain.money import Price, Quantity
from oxbot.domain.orders import Fill, Order, Purpose, Side
from oxbot.domain.portfolio import Position
from oxbot.domain.resting import RestingStop
from oxbot.messages import (
    ExecuteOrder,
    OrderOutcome,
    Protect,
    ProtectPosition,
    ProtectReport,
    Reconcile,
    Reconciliation,
)
from tests.support.fake_account import FakeAccount
from tests.support.fakes import BTC, ETH, INSTRUMENT, FakeClock
from tests.support.trading import entry, leave
from tests.unit.app.room import BOT, NOW_MS, Room

ABOUT = About(BOT, 1, 1, 1)
OTHERS = Decimal("0.25")
"""Coins in the account that are no bot's."""

LATER_MS = 15_001
"""After any fence, and after what was taken until then can be seen."""

HALF = Decimal("0.5")
STOP_PRICE = Price(57_800)


@dataclass
class LiveRoom:
    """A live bot that is flat at first. `now_ms` is the venue's time."""

    room: Room = field(default_factory=lambda: Room(stands_still=False))
    now_ms: int = NOW_MS

    def __post_init__(self) -> None:
        self.room.clock = FakeClock(self._wall)
        self.account = FakeAccount(self.room.feed, self.room.clock, BTC=str(OTHERS))
        self.room.account = self.account
        self.store = self.room.store
        self._exits = 0

    async def _wall(self) -> int:
        return self.now_ms

    @property
    def ports(self) -> Ports:
        """What the use cases receive."""
        return self.room.ports

    async def open(self) -> Order:
        """Make the bot, and write an entry for 0.1 BTC down."""
        await self.room.bot(mode=Mode.LIVE)
        order = entry(BOT, expires_ms=self.now_ms + 60_000)
        self.store.orders_by_id[order.id] = order
        return order

    async def open_other(self) -> Order:
        """Write an entry for ETH down."""
        order = entry(BOT, 2, symbol=ETH, expires_ms=self.now_ms + 60_000, limit_price=Price(3_010))
        self.store.orders_by_id[order.id] = order
        return order

    async def hold(self) -> Position:
        """Make the bot hold 0.1 BTC less the fee, its stop proven."""
        order = await self.open()
        await self.execute(order.id)
        return self.position

    async def buy_twice(self) -> None:
        """Have the exchange trade the first entry once more, which nobody has sent."""
        order = next(iter(self.store.orders_by_id.values()))
        now = await self.room.clock.reading()
        await self.account.place(order.model_copy(update={"fence_ms": now.venue_ms}), now)

    @property
    def position(self) -> Position:
        """What it holds of BTC."""
        return self.store._positions[BOT, BTC]

    @property
    def held(self) -> Quantity:
        """How much it holds of BTC, dust included."""
        position = self.store._positions.get((BOT, BTC))
        dust = self.store._dust.get((BOT, BTC), Quantity(0))
        return dust + (position.quantity if position else Quantity(0))

    @property
    def stop(self) -> RestingStop | None:
        """The stop that may rest, by the record."""
        stops = self.store.stops_by_id.values()
        return next((stop for stop in stops if stop.state != "ended"), None)

    @property
    def may_leave(self) -> bool:
        """Whether a cycle may judge that something is sold: not while the coin is busy."""
        orders = self.store.orders_by_id.values()
        busy = any(order.symbol == BTC and not order.state.is_final for order in orders)
        return (BOT, BTC) in self.store._positions and not busy

    def leaving(self, part: Decimal = Decimal(1)) -> Order:
        """Write down the exit of a cycle."""
        self._exits += 1
        lots = INSTRUMENT.whole_lots(self.position.quantity * part)
        named = {"id": f"bexit{self._exits}", "purpose": Purpose.DECISION}
        order = leave(BOT, 1, str(lots.number), **named)
        self.store.orders_by_id[order.id] = order
        return order

    def call(self, purpose: Purpose, **changes: object) -> ProtectPosition:
        """The call of a watch, a hold or a person for the position."""
        plain = {
            "symbol": BTC,
            "opened_ms": self.position.opened_ms,
            "version": self.position.version,
            "purpose": purpose,
            "crossed_ms": self.now_ms,
            "seen_wall_ms": 0,
        }
        protect = Protect.model_validate(plain | changes)
        return ProtectPosition(bot_id=BOT, incarnation=1, cycle=1, epoch=1, protect=protect)

    async def execute(self, order_id: str) -> OrderOutcome:
        return await execute_order(self.ports, ExecuteOrder(bot_id=BOT, order_id=order_id))

    async def close(self, purpose: Purpose, **changes: object) -> ProtectReport:
        return await close(self.ports, self.call(purpose, **changes))

    async def prove(self) -> list[Order]:
        return await keep_protected(self.ports, ABOUT, BTC)

    async def reconcile(self) -> Reconciliation:
        return await reconcile_bot(self.ports, reconciling())

    def trigger(self, part: Decimal = Decimal(1)) -> None:
        """Let the stop sell, at its price."""
        stop = self.stop
        if stop is not None and stop.id in self.account.alive:
            self.account.trigger(stop, STOP_PRICE, self.now_ms, part)

    def must_agree(self) -> None:
        """What the account has besides what is nobody's is what the record has."""
        balances = self.account.balances_by_currency
        assert balances["USDT"] == self.store.cash[BOT].number
        assert balances["BTC"] - OTHERS == self.held.number

    def must_be_protected(self) -> None:
        """One stop of all that is held, where the position says; none where nothing is held."""
        position = self.store._positions.get((BOT, BTC))
        seen = list(self.account.alive.values())
        known = [stop for stop in self.store.stops_by_id.values() if stop.state != "ended"]
        if position is None:
            assert (seen, known) == ([], [])
            return
        [alive], [stop] = seen, known
        assert stop.id in self.account.alive
        assert alive.quantity == INSTRUMENT.whole_lots(position.quantity)
        assert alive.stop_price == INSTRUMENT.round_price_down(position.stop_price)
        assert alive.target_price == INSTRUMENT.round_price_up(position.target_price)


def reconciling() -> Reconcile:
    return Reconcile(bot_id=BOT, incarnation=1, cycle=1, epoch=1)


def sold(fills: Sequence[Fill], symbol: str) -> Quantity:
    """How much of a coin was sold."""
    of_coin = (fill for fill in fills if (fill.symbol, fill.side) == (symbol, Side.SELL))
    return sum((fill.quantity for fill in of_coin), Quantity(0))
