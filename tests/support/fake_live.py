"""The record in memory: stops that rest at the exchange, and what an account owes to its bots."""

from collections.abc import Collection, Sequence

from oxbot.domain.bot import BotStatus, Mode
from oxbot.domain.market import Instrument, base_of
from oxbot.domain.money import Notional, Quantity
from oxbot.domain.orders import Fill, Order, OrderState
from oxbot.domain.resting import Beyond, RestingStop, StopState, attached_id, stop_of
from oxbot.messages import OrderOutcome
from oxbot.records import Claims, ExitIntent, ExitView, StopView
from tests.support.fake_books import FakeBooks


class FakeLive(FakeBooks):
    """The part of the record that live bots need, with the promises that the database keeps."""

    def __init__(self) -> None:
        super().__init__()
        self.stops_by_id: dict[str, RestingStop] = {}
        self.sold_beyond: dict[str, Beyond] = {}

    async def stop_view(self, bot_id: str, symbol: str) -> StopView:
        """Give what the resting stop of a bot's coin rests on."""
        position = self._positions.get((bot_id, symbol))
        opened_ms = position.opened_ms if position else None
        stops = [
            stop
            for stop in self.stops_by_id.values()
            if (stop.bot_id, stop.symbol) == (bot_id, symbol)
            and (stop.state is not StopState.ENDED or stop.opened_ms == opened_ms)
        ]
        mine = [order for order in self._orders_of(bot_id) if order.symbol == symbol]
        entries = [o for o in mine if not o.purpose.is_exit and o.state is OrderState.FILLED]
        return StopView(
            mode=self.bots_by_id[bot_id].settings.mode,
            position=position,
            stops=tuple(sorted(stops, key=lambda stop: (stop.opened_ms, stop.number))),
            entry=entries[-1] if entries else None,
            leaving=any(o.purpose.is_exit and not o.state.is_final for o in mine),
        )

    def _rests(self, bot_id: str, symbol: str) -> bool:
        return any(
            (stop.bot_id, stop.symbol) == (bot_id, symbol) and stop.state is not StopState.ENDED
            for stop in self.stops_by_id.values()
        )

    async def intend_stop(self, stop: RestingStop, version: int) -> bool:
        """Write a stop down while its position is at this version."""
        seen = await self.stop_view(stop.bot_id, stop.symbol)
        held = seen.position
        same = held and (held.opened_ms, held.version) == (stop.opened_ms, version)
        if not same or seen.leaving or seen.alive:
            return False
        self.stops_by_id[stop.id] = stop
        return True

    async def note_stop(self, stop_id: str, state: StopState, reason: str = "") -> None:
        """Keep what was seen of a stop; one that is over stays so."""
        stop = self.stops_by_id[stop_id]
        if stop.state is not StopState.ENDED:
            noted = stop.model_copy(update={"state": state, "reason": reason})
            self.stops_by_id[stop_id] = noted

    async def resting_stops(self, bot_id: str) -> list[RestingStop]:
        """Give the stops of a bot that may rest."""
        mine = [stop for stop in self.stops_by_id.values() if stop.bot_id == bot_id]
        return [stop for stop in mine if stop.state is not StopState.ENDED]

    async def known_stops(self, stop_ids: Collection[str]) -> list[RestingStop]:
        """Give those of these stops that there are."""
        return [self.stops_by_id[i] for i in stop_ids if i in self.stops_by_id]

    async def stops_of_coin(self, venue: str, symbol: str) -> list[RestingStop]:
        """Give the stops of a pair that may rest."""
        return [
            stop
            for stop in self.stops_by_id.values()
            if stop.symbol == symbol
            and stop.state is not StopState.ENDED
            and self.bots_by_id[stop.bot_id].settings.venue == venue
        ]

    async def settle(
        self,
        order_id: str,
        fills: Sequence[Fill],
        instrument: Instrument,
        *,
        is_late: bool = False,
        claim: Order | None = None,
    ) -> Order:
        """Book fills, and write down the stop that a live entry has brought."""
        ended = await super().settle(order_id, fills, instrument, is_late=is_late, claim=claim)
        position = self._positions.get((ended.bot_id, ended.symbol))
        live = self.bots_by_id[ended.bot_id].settings.mode is Mode.LIVE
        if live and position and fills and not ended.purpose.is_exit:
            named = (attached_id(ended.id), 1, fills[-1].at_ms)
            stop = stop_of(position, instrument, ended.bot_id, named)
            if stop is not None:
                self.stops_by_id.setdefault(stop.id, await self._brought(stop))
        return ended

    async def _brought(self, stop: RestingStop) -> RestingStop:
        known = await self.stop_view(stop.bot_id, stop.symbol)
        numbers = [one.number for one in known.stops if one.opened_ms == stop.opened_ms]
        changes: dict[str, object] = {"number": max(numbers, default=0) + 1}
        if known.alive:
            changes |= {"state": StopState.ENDED, "reason": f"{known.alive.id} may rest"}
        return stop.model_copy(update=changes)

    async def adopt(self, order: Order, fills: Sequence[Fill], instrument: Instrument) -> Order:
        """Write down what a stop has become, book what can be, tell it, and end the stop."""
        if order.id in self.orders_by_id:
            return self.orders_by_id[order.id]
        taken = self._within(order, fills)
        beyond = Beyond.of(fills, taken)
        state = OrderState.FILLED if taken else OrderState.CANCELLED
        self.orders_by_id[order.id] = order.model_copy(update={"state": state})
        ended = await self.settle(order.id, taken, instrument)
        await self.note_stop(order.id, StopState.ENDED, order.reason)
        if taken:
            await self.tell_order(order.bot_id, order.cycle, OrderOutcome.of(ended, taken))
        if beyond.quantity:
            self.sold_beyond[order.id] = beyond
        return ended

    async def claim(self, order_id: str, now_ms: int, fence_ms: int | None = None) -> bool:
        """As the books, but no exit while a stop of the coin may rest."""
        order = await self.order(order_id)
        if order.purpose.is_exit and self._rests(order.bot_id, order.symbol):
            return False
        return await super().claim(order_id, now_ms, fence_ms)

    async def exit_view(self, bot_id: str, symbol: str, order_id: str) -> ExitView:
        """As the books, and whether a stop may rest."""
        seen = await super().exit_view(bot_id, symbol, order_id)
        return seen.model_copy(update={"rests": self._rests(bot_id, symbol)})

    async def intend_exit(self, order: Order, version: int) -> ExitIntent | None:
        """As the books, but not while a stop of the coin may rest."""
        if self._rests(order.bot_id, order.symbol):
            return None
        return await super().intend_exit(order, version)

    async def claims(self, venue: str) -> Claims:
        """Add up what live bots have."""
        coins: dict[str, Quantity] = {}
        cash = Notional(0)
        sent: set[str] = set()
        for bot in self.bots_by_id.values():
            settings = bot.settings
            alive = bot.status is not BotStatus.STOPPED
            if not (alive and settings.mode is Mode.LIVE and settings.venue == venue):
                continue
            books = await self.portfolio(bot.id)
            cash += books.cash
            held = [(s, p.quantity) for s, p in books.positions.items()]
            for symbol, quantity in (*held, *books.dust.items()):
                coin = base_of(symbol)
                coins[coin] = coins.get(coin, Quantity(0)) + quantity
            under_way = [o for o in self._orders_of(bot.id) if not o.state.is_final]
            sent |= {o.symbol for o in under_way if o.state is not OrderState.INTENDED}
        return Claims(cash=cash, coins=coins, sent=tuple(sorted(sent)), fills=len(self.booked))

    async def booked_trades(self, order_ids: Collection[str]) -> list[tuple[str, str]]:
        """Give what is booked of these orders."""
        booked = (f for f in self.booked.values() if f.order_id in order_ids)
        return [(fill.order_id, fill.trade_id) for fill in booked]

    async def sent_symbols(self, bot_id: str, since_ms: int) -> list[str]:  # noqa: ARG002 - all is of today
        """Give the pairs of which a bot has sent orders."""
        never = (OrderState.INTENDED, OrderState.CANCELLED)
        sent = [o for o in self._orders_of(bot_id) if o.id in self.claimed or o.state not in never]
        return sorted({order.symbol for order in sent})
