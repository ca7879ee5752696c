"""Resting stops that were triggered: booked as the exits that they have become."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, func, update
from sqlalchemy.dialects.postgresql import insert

from oxbot.adapters.postgres.beyond import take, tell_beyond_stop
from oxbot.adapters.postgres.cycles import tell_filled
from oxbot.adapters.postgres.rows import Records, lock_bot, order_row, read_order
from oxbot.adapters.postgres.schema import orders, resting_stops
from oxbot.adapters.postgres.settlement import settle_order
from oxbot.domain.market import Instrument
from oxbot.domain.orders import Fill, Order, OrderState
from oxbot.domain.resting import Beyond, StopState
from oxbot.messages import OrderOutcome

_WRITE: Final = (
    insert(orders).values(sent_at=func.now(), finished_at=func.now()).on_conflict_do_nothing()
)
_END: Final = (
    update(resting_stops)
    .where(resting_stops.c.id == bindparam("of_stop"))
    .values(state=StopState.ENDED, reason=bindparam("because"))
)


class Adoptions(Records):
    """The part of the store that books triggered stops."""

    async def adopt(self, order: Order, fills: Sequence[Fill], instrument: Instrument) -> Order:
        """Write down what a resting stop has become, book and tell it, and end the stop, at once.

        `fills` are all that it has traded. What it sold beyond what the bot has, or before the bot
        had it, is on no bot's books, and told. Who comes second finds it done.

        Raises:
            LedgerBroken: As `settle`, but for that; nothing was written.
            NotFound: There is no such bot.
        """
        async with self._transaction() as connection:
            bot = await lock_bot(connection, order.bot_id)
            taken = await take(connection, order, fills)
            written = await connection.execute(_WRITE, order_row(_as_booked(order, taken)))
            if not written.rowcount:
                return await read_order(connection, order.id)
            await connection.execute(_END, {"of_stop": order.id, "because": order.reason})
            ended = await settle_order(connection, bot, order.id, (taken, instrument))
            if taken:
                outcome = OrderOutcome.of(ended, taken)
                await tell_filled(connection, order.bot_id, order.cycle, outcome)
            await tell_beyond_stop(connection, ended, Beyond.of(fills, taken))
            return ended


def _as_booked(order: Order, taken: Sequence[Fill]) -> Order:
    """Give the order as it is over: filled only if anything of it is on the books."""
    if taken:
        return order
    reason = f"{order.reason}; the bot had nothing that it could have sold"
    return order.model_copy(update={"state": OrderState.CANCELLED, "reason": reason})
