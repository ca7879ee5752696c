"""Resting stops that were triggered: booked as the exits that they have become."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, func, update
from sqlalchemy.dialects.postgresql import insert

from oxbot.adapters.postgres.cycles import tell_filled
from oxbot.adapters.postgres.rows import Records, lock_bot, order_row
from oxbot.adapters.postgres.schema import orders, resting_stops
from oxbot.adapters.postgres.settlement import settle_order
from oxbot.domain.market import Instrument
from oxbot.domain.orders import Fill, Order
from oxbot.domain.resting import StopState
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

        `fills` are all that it has traded. Who comes second finds it done.

        Raises:
            LedgerBroken: As `settle`; nothing was written.
            NotFound: There is no such bot.
        """
        async with self._transaction() as connection:
            bot = await lock_bot(connection, order.bot_id)
            await connection.execute(_WRITE, order_row(order))
            await connection.execute(_END, {"of_stop": order.id, "because": order.reason})
            ended = await settle_order(connection, bot, order.id, (fills, instrument))
            outcome = OrderOutcome.of(ended, fills)
            await tell_filled(connection, order.bot_id, order.cycle, outcome)
            return ended
