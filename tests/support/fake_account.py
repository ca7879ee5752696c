"""An account at an exchange, in memory: orders trade at the feed's prices, stops rest.

What it did is the oracle of tests: it is kept here, whatever the record says.
"""

from collections import deque
from decimal import Decimal
from typing import Final

from oxbot.domain.balances import Balance
from oxbot.domain.errors import (
    NotShown,
    OutcomeUnknown,
    OxbotError,
    VenueRefused,
    VenueUnavailable,
)
from oxbot.domain.market import QUOTE_CURRENCY, ClockReading, base_of
from oxbot.domain.money import CurrencyAmount, Price, Quantity, floor_to
from oxbot.domain.orders import Fill, Order, OrderState, Purpose, Side
from oxbot.domain.resting import RestingStop, SeenState, SeenStop, StopState, attached_id
from oxbot.ports import Clock
from tests.support.fakes import FEE_RATE, FakeFeed

GRACE_MS: Final = 5_000
"""Milliseconds after its fence by which what was taken can be seen."""


UNKNOWN: Final = "OKX may or may not have taken the order. It is looked up, not sent again."
END_IT: Final = "Where it is over, `oxbot bots reconcile --over` ends it."
"""What the adapter says; of an order without its id, of a stop after that."""

FORGOTTEN_MS: Final = 3 * 3_600_000
"""Milliseconds after which an order that is shown nowhere was cancelled before it traded."""


class FakeAccount:
    """A LiveExchange that forgets no execution, and keeps nobody from using an id twice.

    `balances_by_currency` is what it has; nothing is set aside for stops. `alive` are the stops
    that rest and `over` how others ended; `log` is what happened, `traded` what it executed, in
    order. `parts` are fractions of the next exits that are filled, `hidden_ms` how long what is
    taken cannot be seen (venue ms), `is_lost` whether its answer is lost then, `refusing` the
    methods that are refused, `trouble` what every question meets, `why_unfit` what is wrong with
    it.
    """

    def __init__(self, feed: FakeFeed, clock: Clock, usdt: str = "10000", **coins: str) -> None:
        has = {QUOTE_CURRENCY: usdt, **coins}
        self.balances_by_currency = {name: Decimal(amount) for name, amount in has.items()}
        self.alive: dict[str, SeenStop] = {}
        self.over: dict[str, SeenStop] = {}
        self.log: list[str] = []
        self.traded: list[Fill] = []
        self.parts: deque[Decimal] = deque()
        self.hidden_ms = 0
        self.is_lost = False
        self.refusing: set[str] = set()
        self.trouble: OxbotError | None = None
        self.why_unfit: str | None = None
        self._feed = feed
        self._clock = clock
        self._orders: dict[str, list[Fill]] = {}
        self._seen_from_ms: dict[str, int] = {}

    async def place(self, order: Order, now: ClockReading) -> None:  # noqa: ARG002 - the port's
        """Trade an order at once and acknowledge it; an entry's stop rests from then on."""
        self._ask("place")
        at_ms = await self._now_ms()
        if order.fence_ms is None or at_ms > order.fence_ms:
            raise OutcomeUnknown(f"{order.id} has expired.")
        self._orders[order.id] = fills = await self._executed(order, at_ms)
        self.log.append(str(order.purpose))
        self._hide(order.id, at_ms)
        if fills and not order.purpose.is_exit:
            await self._attach(order, fills[0], at_ms)
        if self.hidden_ms and self.is_lost:
            raise OutcomeUnknown(f"The answer about {order.id} was lost.")

    async def look_up(self, order: Order) -> list[Fill] | None:
        """Give what an order has traded; None once it must be visible, and is not."""
        self._ask("look_up")
        at_ms = await self._now_ms()
        if order.id in self._orders and at_ms >= self._seen_from_ms[order.id]:
            return list(self._orders[order.id])
        if at_ms <= (order.fence_ms or 0) + GRACE_MS:
            raise OutcomeUnknown(UNKNOWN)
        if order.state is not OrderState.OPEN:
            return None
        if at_ms > (order.fence_ms or 0) + FORGOTTEN_MS:
            return []
        raise NotShown(f"{UNKNOWN} {END_IT}")

    async def place_stop(self, stop: RestingStop) -> None:
        """Have a stop rest."""
        self._ask("place_stop")
        at_ms = await self._now_ms()
        if at_ms > stop.fence_ms:
            raise VenueUnavailable(f"The time of {stop.id} was refused.")
        if stop.id not in self.alive:
            self._must_be_around_price(stop)
            self.log.append("stop")
            self.alive[stop.id] = resting_as(stop)
            self._hide(stop.id, at_ms)

    async def see_stop(self, stop: RestingStop) -> SeenStop:
        """Look a stop up; absent once it must be visible, and is not."""
        self._ask("see_stop")
        at_ms = await self._now_ms()
        seen = self.alive.get(stop.id) or self.over.get(stop.id)
        if seen is not None and at_ms >= self._seen_from_ms.get(stop.id, 0):
            return seen
        was_triggered = seen is not None and seen.state is SeenState.TRIGGERED
        if was_triggered or at_ms <= stop.fence_ms + GRACE_MS:
            raise OutcomeUnknown(f"The stop {stop.id}: {UNKNOWN}")
        if stop.state is StopState.RESTING:
            raise NotShown(f"The stop {stop.id}: {UNKNOWN} {END_IT}")
        return SeenStop(state=SeenState.ABSENT, reason="it was never there")

    async def amend_stop(self, stop: RestingStop) -> None:
        """Give a stop size and prices."""
        self._ask("amend_stop")
        if stop.id not in self.alive:
            raise VenueRefused(f"{stop.id} is over.")
        self._must_be_around_price(stop)
        self.log.append("amend")
        self.alive[stop.id] = resting_as(stop)

    async def cancel_stop(self, stop: RestingStop) -> None:
        """Cancel a stop."""
        self._ask("cancel_stop")
        self.cancel(stop.id)

    async def resting_stops(self) -> frozenset[str]:
        """Give the ids of stops that rest."""
        self._ask("resting_stops")
        return frozenset(self.alive)

    async def triggered_stops(self, since_ms: int) -> frozenset[str]:  # noqa: ARG002 - all is of today
        """Give the ids of stops that were triggered."""
        self._ask("triggered_stops")
        over = self.over.items()
        return frozenset(known for known, seen in over if seen.state is SeenState.TRIGGERED)

    async def recent_fills(self, symbol: str, since_ms: int) -> list[Fill]:
        """Give what was traded by orders of an id."""
        self._ask("recent_fills")
        of_coin = (fill for fill in self.traded if fill.symbol == symbol)
        return [
            fill for fill in of_coin if fill.at_ms >= since_ms and fill.order_id in self._orders
        ]

    async def unfit(self) -> str | None:
        """Say what is wrong with it."""
        self._ask("unfit")
        return self.why_unfit

    async def balances(self) -> dict[str, Balance]:
        """Give what it has."""
        self._ask("balances")
        return {
            currency: Balance(free=amount, frozen=Decimal(0))
            for currency, amount in self.balances_by_currency.items()
        }

    def cancel(self, stop_id: str) -> None:
        """Cancel a stop."""
        if self.alive.pop(stop_id, None):
            self.log.append("cancel")
            self.over[stop_id] = SeenStop(state=SeenState.OVER, reason="cancelled")

    def cancel_all(self) -> None:
        """Cancel every stop, as a person could."""
        for stop_id in list(self.alive):
            self.cancel(stop_id)

    def trigger(
        self, stop: RestingStop, price: Price, at_ms: int, part: Decimal = Decimal(1)
    ) -> None:
        """Let a stop sell at a price, as much of it as the account has and the book takes."""
        seen = self.alive.pop(stop.id)
        quantity = floor_to((seen.quantity or Quantity(0)) * part, Quantity("0.0001"))
        self.log.append("triggered")
        if quantity > Quantity(self._has(base_of(stop.symbol))):
            self.over[stop.id] = SeenStop(state=SeenState.OVER, reason="too little is free")
            return
        named = (stop.id, stop.symbol, Side.SELL)
        fills = (self._trade(named, quantity, price, at_ms),) if quantity else ()
        self.over[stop.id] = SeenStop(state=SeenState.TRIGGERED, purpose=Purpose.STOP, fills=fills)
        self._hide(stop.id, at_ms)

    async def _executed(self, order: Order, at_ms: int) -> list[Fill]:
        reading = ClockReading(venue_ms=at_ms, wall_ms=at_ms, rate=Decimal(1))
        book = await self._feed.book(order.symbol, 1, reading)
        level = book.asks[0] if order.side is Side.BUY else book.bids[0]
        part = self.parts.popleft() if order.purpose.is_exit and self.parts else Decimal(1)
        quantity = floor_to(order.quantity * part, Quantity("0.0001"))
        sells = order.side is Side.SELL
        if sells and order.quantity > Quantity(self._has(base_of(order.symbol))):
            raise VenueRefused(f"{order.id} sells more than there is.")
        if not quantity:
            return []
        return [self._trade((order.id, order.symbol, order.side), quantity, level.price, at_ms)]

    def _trade(
        self, named: tuple[str, str, Side], quantity: Quantity, price: Price, at_ms: int
    ) -> Fill:
        order_id, symbol, side = named
        buys = side is Side.BUY
        fee = (quantity if buys else quantity * price).number * FEE_RATE
        fill = Fill(
            trade_id=f"t{len(self.traded)}",
            order_id=order_id,
            symbol=symbol,
            side=side,
            quantity=quantity,
            price=price,
            fee=CurrencyAmount(fee),
            fee_currency=base_of(symbol) if buys else QUOTE_CURRENCY,
            at_ms=at_ms,
        )
        for currency, amount in ((QUOTE_CURRENCY, fill.cash), (base_of(symbol), fill.coins)):
            self.balances_by_currency[currency] = self._has(currency) + amount.number
        self.traded.append(fill)
        return fill

    async def _attach(self, order: Order, fill: Fill, at_ms: int) -> None:
        """Have an entry's stop rest, measured from its limit, for what it brought after fees."""
        limit, stop_id = order.limit_price or fill.price, attached_id(order.id)
        instrument = (await self._feed.instruments((order.symbol,)))[order.symbol]
        if "attach" in self.refusing:
            return
        self.alive[stop_id] = SeenStop(
            state=SeenState.RESTING,
            quantity=instrument.whole_lots(fill.coins),
            stop_price=instrument.round_price_down(limit * (1 - (order.stop or Decimal(0)))),
            target_price=instrument.round_price_up(limit * (1 + (order.target or Decimal(0)))),
        )
        self._hide(stop_id, at_ms)

    def _must_be_around_price(self, stop: RestingStop) -> None:
        if not stop.stop_price < self._feed.prices[stop.symbol] < stop.target_price:
            raise VenueRefused(f"The price of {stop.symbol} is beyond the stop already.")

    def _hide(self, known_id: str, at_ms: int) -> None:
        self._seen_from_ms[known_id] = at_ms + self.hidden_ms

    def _has(self, currency: str) -> Decimal:
        return self.balances_by_currency.get(currency, Decimal(0))

    async def _now_ms(self) -> int:
        return (await self._clock.reading()).venue_ms

    def _ask(self, method: str) -> None:
        if self.trouble:
            raise self.trouble
        if method in self.refusing:
            raise VenueRefused(f"{method} is refused.")


def resting_as(stop: RestingStop) -> SeenStop:
    """A stop that rests as it was written down."""
    return SeenStop(
        state=SeenState.RESTING,
        quantity=stop.quantity,
        stop_price=stop.stop_price,
        target_price=stop.target_price,
    )
