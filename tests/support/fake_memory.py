"""The record in memory: what a bot remembers of its trades."""

from decimal import Decimal

from oxbot.domain.decision import Decision
from oxbot.domain.memory import (
    LAST_TRADES,
    MOST_RESULTS,
    Costs,
    Memory,
    PastTrade,
    Result,
    Thesis,
    exit_reason,
)
from oxbot.domain.money import Notional
from oxbot.domain.orders import Order
from oxbot.domain.portfolio import Position, Trade
from oxbot.records import DecisionRecord
from tests.support.fake_protection import FakeProtection


class FakeMemory(FakeProtection):
    """Joins trades with the decisions behind them, as the database does."""

    def __init__(self) -> None:
        super().__init__()
        self._decisions: dict[tuple[str, int], DecisionRecord] = {}

    async def memory(self, bot_id: str, cycle: int) -> Memory:
        """Give the last trades and open positions with their reasons, and costs so far."""
        mine = [trade for known, trade in self._trades if known == bot_id]
        held = (await self.portfolio(bot_id)).positions
        before = [d for (known, n), d in self._decisions.items() if known == bot_id and n < cycle]
        fees = [*(trade.fees for trade in mine), *(p.fees for p in held.values())]
        return Memory(
            last=tuple(
                PastTrade(
                    trade=trade,
                    thesis=self._thesis(bot_id, trade),
                    exit_reason=exit_reason(trade.exit, self._closing_order(bot_id, trade).reason),
                )
                for trade in mine[-LAST_TRADES:]
            ),
            results=tuple(
                Result(invested=trade.entry_price * trade.quantity, net_pnl=trade.net_pnl)
                for trade in mine[-MOST_RESULTS:]
            ),
            theses={symbol: self._thesis(bot_id, position) for symbol, position in held.items()},
            costs=Costs(
                model_usd=sum((d.cost_usd for d in before), Decimal(0)),
                decisions=sum(d.asked for d in before),
                fees_usdt=sum(fees, Notional(0)),
            ),
        )

    def _thesis(self, bot_id: str, opened: Trade | Position) -> Thesis:
        entries = [
            self.orders_by_id[fill.order_id]
            for fill in self.booked.values()
            if (fill.symbol, fill.at_ms) == (opened.symbol, opened.opened_ms)
        ]
        cycles = [o.cycle for o in entries if o.bot_id == bot_id and not o.purpose.is_exit]
        record = self._decisions.get((bot_id, cycles[-1])) if cycles else None
        decided = record.decision if record else None
        decision = Decision.model_validate_json(decided) if decided else None
        return Thesis.of(decision, opened.symbol)

    def _closing_order(self, bot_id: str, trade: Trade) -> Order:
        orders = [
            self.orders_by_id[fill.order_id]
            for fill in self.booked.values()
            if (fill.symbol, fill.at_ms) == (trade.symbol, trade.closed_ms)
        ]
        return [order for order in orders if order.bot_id == bot_id][-1]
