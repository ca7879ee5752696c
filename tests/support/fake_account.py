"""An account at an exchange, in memory: orders fill from the feed's books, stops rest."""

from collections.abc import Sequence
from decimal import Decimal

from oxbot.adapters.paper.exchange import PaperExchange
from oxbot.domain.balances import Balance
from oxbot.domain.errors import OxbotError, VenueRefused
from oxbot.domain.market import QUOTE_CURRENCY, ClockReading, base_of
from oxbot.domain.money import CurrencyAmount, Price
from oxbot.domain.orders import Fill, Order, Purpose, Side
from oxbot.domain.resting import RestingStop, SeenState, SeenStop, attached_id
from tests.support.fakes import FEE_RATE, FakeFeed


class FakeAccount:
    """A LiveExchange.

    `balances_by_currency` is what it has, `alive` the stops that rest, `trouble` what every
    question meets, `log` what happened in order.
    """

    def __init__(self, feed: FakeFeed, usdt: str = "10000") -> None:
        self.balances_by_currency = {QUOTE_CURRENCY: Decimal(usdt)}
        self.alive: dict[str, SeenStop] = {}
        self.over: dict[str, SeenStop] = {}
        self.trouble: OxbotError | None = None
        self.log: list[str] = []
        self._paper = PaperExchange(feed, FEE_RATE)
        self._fills: dict[str, list[Fill]] = {}

    async def place(self, order: Order, now: ClockReading) -> list[Fill]:
        """Fill an order; an entry's stop rests from then on."""
        self._ask()
        fills = await self._paper.place(order, now)
        self.log.append(f"{order.purpose} {order.symbol}")
        for fill in fills:
            self._book(fill)
        self._fills[order.id] = fills
        if fills and not order.purpose.is_exit:
            bought = sum((fill.coins for fill in fills[1:]), fills[0].coins)
            self.alive[attached_id(order.id)] = SeenStop(
                state=SeenState.RESTING,
                quantity=bought,
                stop_price=fills[0].price,
                target_price=fills[0].price,
            )
        return fills

    async def look_up(self, order: Order) -> list[Fill] | None:
        """Give what an order has traded."""
        self._ask()
        return self._fills.get(order.id)

    async def place_stop(self, stop: RestingStop) -> None:
        """Have a stop rest."""
        self._ask()
        self.log.append(f"stop {stop.symbol}")
        await self.amend_stop(stop, new=True)

    async def amend_stop(self, stop: RestingStop, *, new: bool = False) -> None:
        """Give a stop size and prices."""
        self._ask()
        if not new and stop.id not in self.alive:
            raise VenueRefused("The stop is over.")
        self.alive[stop.id] = SeenStop(
            state=SeenState.RESTING,
            quantity=stop.quantity,
            stop_price=stop.stop_price,
            target_price=stop.target_price,
        )

    async def see_stop(self, stop: RestingStop) -> SeenStop:
        """Look a stop up."""
        self._ask()
        seen = self.alive.get(stop.id) or self.over.get(stop.id)
        return seen or SeenStop(state=SeenState.ABSENT)

    async def cancel_stop(self, stop: RestingStop) -> None:
        """Cancel a stop."""
        self._ask()
        if self.alive.pop(stop.id, None):
            self.log.append(f"cancel {stop.symbol}")
            self.over[stop.id] = SeenStop(state=SeenState.OVER, reason="cancelled")

    async def resting_stops(self) -> frozenset[str]:
        """Give the ids of stops that rest."""
        self._ask()
        return frozenset(self.alive)

    async def recent_fills(self, symbol: str, since_ms: int) -> list[Fill]:
        """Give what was traded."""
        self._ask()
        fills = [fill for own in self._fills.values() for fill in own]
        return [fill for fill in fills if fill.symbol == symbol and fill.at_ms >= since_ms]

    async def balances(self) -> dict[str, Balance]:
        """Give what it has."""
        self._ask()
        return {
            currency: Balance(free=amount, frozen=Decimal(0))
            for currency, amount in self.balances_by_currency.items()
        }

    def trigger(self, stop: RestingStop, price: Price, at_ms: int) -> Sequence[Fill]:
        """Let a stop sell, at a price."""
        seen = self.alive.pop(stop.id)
        assert seen.quantity
        fee = (seen.quantity * price).number * FEE_RATE
        sold = Fill(
            trade_id=f"t{stop.id}",
            order_id=stop.id,
            symbol=stop.symbol,
            side=Side.SELL,
            quantity=seen.quantity,
            price=price,
            fee=CurrencyAmount(fee),
            fee_currency=QUOTE_CURRENCY,
            at_ms=at_ms,
        )
        self._book(sold)
        self.log.append(f"triggered {stop.symbol}")
        self.over[stop.id] = SeenStop(
            state=SeenState.TRIGGERED, purpose=Purpose.STOP, fills=(sold,)
        )
        return (sold,)

    def _book(self, fill: Fill) -> None:
        for currency, amount in (
            (QUOTE_CURRENCY, fill.cash.number),
            (base_of(fill.symbol), fill.coins.number),
        ):
            known = self.balances_by_currency.get(currency, Decimal(0))
            self.balances_by_currency[currency] = known + amount

    def _ask(self) -> None:
        if self.trouble:
            raise self.trouble
