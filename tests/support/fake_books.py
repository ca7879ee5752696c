"""The record in memory: verdicts, orders, fills, positions and trades."""

from collections.abc import Collection, Sequence

from oxbot.domain.account import Account, Holding
from oxbot.domain.bot import Bot, BotStatus, Mode
from oxbot.domain.errors import Conflict, NotFound
from oxbot.domain.ledger import must_balance
from oxbot.domain.lifecycle import finished, moved, released, settled
from oxbot.domain.market import Instrument
from oxbot.domain.money import Notional, Quantity, to_scale
from oxbot.domain.orders import Fill, Order, OrderState, Purpose
from oxbot.domain.portfolio import Portfolio, Position, Trade
from oxbot.domain.resting import Beyond, within
from oxbot.domain.risk import Verdict
from oxbot.domain.settlement import settle
from oxbot.messages import OrderOutcome
from oxbot.records import AuditFigures, ExitIntent, ExitView, Judge, OrderRow, TradeRow


class FakeBooks:
    """Orders and what they made of cash and positions, by the domain's own settlement."""

    def __init__(self) -> None:
        self.bots_by_id: dict[str, Bot] = {}
        self.cash: dict[str, Notional] = {}
        self.orders_by_id: dict[str, Order] = {}
        self.booked: dict[str, Fill] = {}
        self.claimed: set[str] = set()
        self.sold_late: dict[str, Beyond] = {}
        self.orders_told: dict[str, OrderOutcome] = {}
        self._positions: dict[tuple[str, str], Position] = {}
        self._since_flat: dict[tuple[str, str], list[Fill]] = {}
        self._dust: dict[tuple[str, str], Quantity] = {}
        self._trades: list[tuple[str, Trade]] = []
        self._lost_cash: dict[str, Notional] = {}
        self._verdicts: dict[tuple[str, int], list[Verdict]] = {}

    async def portfolio(self, bot_id: str) -> Portfolio:
        """Give cash, reserved cash, positions and dust."""
        waiting = [o for o in await self.unfinished_orders(bot_id) if o.limit_price]
        reserved = [to_scale(o.limit_price * o.quantity) for o in waiting if o.limit_price]
        return Portfolio(
            cash=self.cash[bot_id],
            reserved=sum(reserved, Notional(0)),
            positions={s: p for (known, s), p in self._positions.items() if known == bot_id},
            dust={s: q for (known, s), q in self._dust.items() if known == bot_id},
        )

    async def judged(self, bot_id: str, cycle: int) -> bool:
        """Tell whether a cycle's verdicts are stored."""
        return (bot_id, cycle) in self._verdicts

    async def judge_cycle(
        self,
        bot_id: str,
        cycle: int,
        judge: Judge,
        *,
        entering: bool,
    ) -> None:
        """Have a cycle judged, store verdicts and intended orders; Conflict as the port says."""
        if (bot_id, cycle) in self._verdicts:
            raise Conflict(f"Cycle {cycle} was judged.")
        verdicts, orders, _ = judge(await self.account(bot_id) if entering else Account())
        busy = {order.symbol for order in await self.unfinished_orders(bot_id)}
        if busy & {order.symbol for order in orders}:
            raise Conflict("A coin is busy.")
        self._verdicts[bot_id, cycle] = list(verdicts)
        self.orders_by_id.update({order.id: self._as_wanted(order) for order in orders})

    def _as_wanted(self, order: Order) -> Order:
        bot = self.bots_by_id.get(order.bot_id)
        if bot is None or order.purpose.is_exit or order.epoch >= bot.epoch:
            return order
        return order.model_copy(update={"state": OrderState.CANCELLED, "reason": "outdated"})

    async def account(self, bot_id: str) -> Account:
        """Give what the account's other bots have."""
        mine = self.bots_by_id[bot_id].settings
        others = [
            await self.portfolio(bot.id)
            for bot in self.bots_by_id.values()
            if bot.id != bot_id
            and bot.status is not BotStatus.STOPPED
            and (bot.settings.mode, bot.settings.venue) == (mine.mode, mine.venue)
            and (bot.settings.owner == mine.owner or mine.mode is Mode.LIVE)
        ]
        held: dict[str, Holding] = {}
        owed: dict[str, Holding] = {}
        for position in (p for other in others for p in other.positions.values()):
            kept = owed if position.quantity < 0 else held
            known = kept.get(position.symbol, Holding(quantity=Quantity(0), cost=Notional(0)))
            kept[position.symbol] = Holding(
                quantity=known.quantity + position.quantity, cost=known.cost + position.cost
            )
        return Account(
            cash=sum((other.cash for other in others), Notional(0)),
            reserved=sum((other.reserved for other in others), Notional(0)),
            holdings=held,
            owed=owed,
        )

    async def verdicts(self, bot_id: str, cycle: int) -> list[Verdict]:
        """Give a cycle's verdicts."""
        return self._verdicts.get((bot_id, cycle), [])

    async def unfinished_orders(self, bot_id: str) -> list[Order]:
        """Give the bot's orders that are not final, oldest first."""
        return [o for o in self._orders_of(bot_id) if not o.state.is_final]

    async def flat_among(self, bot_ids: Collection[str]) -> list[str]:
        """Give which of these bots hold nothing and have nothing under way."""
        holding = {bot_id for bot_id, _ in self._positions}
        waiting = {o.bot_id for o in self.orders_by_id.values() if not o.state.is_final}
        return [bot_id for bot_id in bot_ids if bot_id not in holding | waiting]

    def _orders_of(self, bot_id: str) -> list[Order]:
        return [order for order in self.orders_by_id.values() if order.bot_id == bot_id]

    async def order(self, order_id: str) -> Order:
        """Give an order; NotFound."""
        if order_id not in self.orders_by_id:
            raise NotFound(f"There is no order {order_id}.")
        return self.orders_by_id[order_id]

    async def claim(self, order_id: str, now_ms: int, fence_ms: int | None = None) -> bool:
        """Move intended → sent; an entry only while wanted, as the port says."""
        order = await self.order(order_id)
        is_exit = order.purpose.is_exit
        wanted = self._is_held(order) if is_exit else self._still_wanted(order, now_ms)
        if order.state is not OrderState.INTENDED or not wanted:
            return False
        sent = moved(order, OrderState.SENT)
        self.claimed.add(order_id)
        self.orders_by_id[order_id] = sent.model_copy(update={"fence_ms": fence_ms})
        return True

    def _is_held(self, order: Order) -> bool:
        held = self._positions.get((order.bot_id, order.symbol))
        return held is not None and abs(held.quantity) >= order.quantity

    def _still_wanted(self, order: Order, now_ms: int) -> bool:
        bot = self.bots_by_id[order.bot_id]
        in_time = order.expires_ms is None or now_ms <= order.expires_ms
        return bot.status is BotStatus.RUNNING and bot.epoch == order.epoch and in_time

    async def release(self, order: Order) -> Order:
        """Move sent → intended, where it is as known."""
        stored = await self.order(order.id)
        if stored.state is OrderState.SENT and _is_as_known(order, stored):
            stored = released(stored).model_copy(update={"fence_ms": None})
            self.orders_by_id[order.id] = stored
        return stored

    async def note_taken(self, order: Order) -> Order:
        """Move to open what nobody has claimed since."""
        stored = await self.order(order.id)
        is_sent = stored.state is OrderState.SENT and _is_as_known(order, stored)
        if is_sent or stored.state is OrderState.INTENDED:
            fenced = {"fence_ms": order.fence_ms}
            stored = moved(stored, OrderState.OPEN).model_copy(update=fenced)
            self.orders_by_id[order.id] = stored
        return stored

    async def finish_order(self, order: Order, state: OrderState, reason: str) -> Order:
        """Close an order without a fill, where it is as known."""
        stored = await self.order(order.id)
        if _is_as_known(order, stored):
            self.orders_by_id[order.id] = stored = finished(stored, state, reason)
        return stored

    async def settle(
        self,
        order_id: str,
        fills: Sequence[Fill],
        instrument: Instrument,
        *,
        is_late: bool = False,
        claim: Order | None = None,
    ) -> Order:
        """Book fills once each, with position, cash, ledger and trade, where a claim stands."""
        order = await self.order(order_id)
        if claim and not _is_as_known(claim, order):
            return order
        fills = self._known_late(order, fills) if is_late else fills
        new = {fill.trade_id: fill for fill in fills if fill.trade_id not in self.booked}
        ended = settled(order, [*await self.fills(order_id), *new.values()])
        for number, fill in enumerate(new.values(), start=1):
            self._book(order, fill, instrument, last=number == len(new))
        self.orders_by_id[order_id] = ended
        return ended

    def _known_late(self, order: Order, fills: Sequence[Fill]) -> Sequence[Fill]:
        """Leave out what an exit has sold beyond what its bot had, which is told once."""
        if not order.purpose.is_exit:
            return fills
        known = self.booked.keys() | self.sold_late.keys()
        new = [fill for fill in fills if fill.trade_id not in known]
        taken = self._within(order, new)
        for fill in new:
            beyond = Beyond.of([fill], [t for t in taken if t.trade_id == fill.trade_id])
            self.sold_late |= {fill.trade_id: beyond} if beyond.quantity else {}
        return taken

    def _within(self, order: Order, fills: Sequence[Fill]) -> list[Fill]:
        """Take of an exit's fills what the books can."""
        key = order.bot_id, order.symbol
        return within(fills, self._positions.get(key), self._since_flat.get(key, []))

    def _book(self, order: Order, fill: Fill, instrument: Instrument, *, last: bool) -> None:
        bot_id, key = order.bot_id, (order.bot_id, fill.symbol)
        held, cash = self._positions.get(key), self.cash[bot_id]
        done = settle(held, cash, order, fill, instrument, last=last)
        must_balance(done.entries)
        self.booked[fill.trade_id] = fill
        since_flat = self._since_flat.get(key, []) if held else []
        self._since_flat[key] = [*since_flat, fill]
        self.cash[bot_id] = done.cash
        self._dust[key] = self._dust.get(key, Quantity(0)) + done.dust
        if done.position:
            self._positions[key] = done.position
        else:
            self._positions.pop(key, None)
        if done.trade:
            self._trades.append((bot_id, done.trade))

    async def exit_view(self, bot_id: str, symbol: str, order_id: str) -> ExitView:
        """Give what closing a bot's coin rests on."""
        if bot_id not in self.bots_by_id:
            raise NotFound(f"There is no bot {bot_id}.")
        concerned = [
            order
            for order in self.orders_by_id.values()
            if (order.bot_id, order.symbol) == (bot_id, symbol)
            and (order.id == order_id or not order.state.is_final)
        ]
        return ExitView(
            venue=self.bots_by_id[bot_id].settings.venue,
            position=self._positions.get((bot_id, symbol)),
            orders=tuple(concerned),
        )

    async def intend_exit(self, order: Order, version: int) -> ExitIntent | None:
        """Write an exit down while its position is at this version, as the port says."""
        position = self._positions.get((order.bot_id, order.symbol))
        if position is None or position.version != version:
            return None
        unfinished = await self.unfinished_orders(order.bot_id)
        known = [under_way for under_way in unfinished if under_way.symbol == order.symbol]
        if order.id in self.orders_by_id:
            known.append(self.orders_by_id[order.id])
        if known:
            return ExitIntent(order=known[0], claimed=False)
        self.orders_by_id[order.id] = order.model_copy(update={"state": OrderState.SENT})
        return ExitIntent(order=self.orders_by_id[order.id], claimed=True)

    async def known_orders(self, order_ids: Collection[str]) -> list[Order]:
        """Give those of these orders that there are, oldest first."""
        return [self.orders_by_id[i] for i in order_ids if i in self.orders_by_id]

    async def tell_order(self, bot_id: str, cycle: int, outcome: OrderOutcome) -> None:  # noqa: ARG002 - the port's
        """Tell once that an order was filled."""
        self.orders_told.setdefault(outcome.order_id, outcome)

    async def fills(self, order_id: str) -> list[Fill]:
        """Give an order's fills."""
        return [fill for fill in self.booked.values() if fill.order_id == order_id]

    async def entries_since(self, bot_id: str, since_ms: int) -> int:
        """Count filled entries since a venue time."""
        return sum(
            self.orders_by_id[fill.order_id].bot_id == bot_id
            and not self.orders_by_id[fill.order_id].purpose.is_exit
            and fill.at_ms >= since_ms
            for fill in self.booked.values()
        )

    async def last_exits(self, bot_id: str) -> dict[str, int]:
        """Give for each coin the venue time of its last exit."""
        return {trade.symbol: trade.closed_ms for known, trade in self._trades if known == bot_id}

    async def orders(self, bot_id: str, limit: int) -> list[OrderRow]:
        """Give the last orders with what they filled, newest first."""
        return [self._order_row(order) for order in self._orders_of(bot_id)[::-1][:limit]]

    def _order_row(self, order: Order) -> OrderRow:
        fills = [fill for fill in self.booked.values() if fill.order_id == order.id]
        return OrderRow(
            id=order.id,
            cycle=order.cycle,
            symbol=order.symbol,
            side=order.side,
            purpose=order.purpose,
            quantity=order.quantity,
            state=order.state,
            reason=order.reason,
            filled=sum((fill.quantity for fill in fills), Quantity(0)),
            price=fills[0].price if fills else None,
        )

    async def trades(self, bot_id: str, limit: int) -> list[TradeRow]:
        """Give the last round trips, newest first."""
        mine = [trade for known, trade in reversed(self._trades) if known == bot_id]
        return [TradeRow.model_validate(trade.model_dump()) for trade in mine[:limit]]

    async def audit(self, bot_id: str) -> AuditFigures:
        """Recompute cash from fills and losses, and compare it with what is stored."""
        fills = [f for f in self.booked.values() if self.orders_by_id[f.order_id].bot_id == bot_id]
        capital = self.bots_by_id[bot_id].settings.capital
        capital -= self._lost_cash.get(bot_id, Notional(0))
        recomputed = sum((fill.cash for fill in fills), capital)
        return AuditFigures(
            fills=len(fills),
            cash_stored=self.cash[bot_id],
            cash_recomputed=recomputed,
            drift=abs(self.cash[bot_id] - recomputed).number,
            unbalanced=0,
        )

    def open_coins(self, bot_id: str) -> set[str]:
        """Name what a bot holds, without waiting."""
        return {symbol for known, symbol in self._positions if known == bot_id}

    def filled(self, *purposes: Purpose) -> list[Order]:
        """Give the orders of these purposes that traded, oldest first."""
        orders = (self.orders_by_id[fill.order_id] for fill in self.booked.values())
        return [order for order in orders if order.purpose in purposes]


def _is_as_known(known: Order, stored: Order) -> bool:
    return (known.state, known.fence_ms) == (stored.state, stored.fence_ms)
