"""What record and account do not agree in, told when it is new, and when it is no longer so."""

from collections.abc import Collection, Sequence

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres.rows import ORDER, Records, add_event, lock_bot
from oxbot.adapters.postgres.schema import OF_ACCOUNT, events, orders
from oxbot.domain.losses import AGREES, DIFFERS
from oxbot.domain.orders import Order, OrderState


class Differences(Records):
    """The part of the store that tells what a reconciliation has found."""

    async def tell_differences(
        self, bot_id: str, differs: Collection[str], *, is_all: bool
    ) -> None:
        """Tell what differs and did not the last time, and what differed then and does no more.

        `is_all`: nothing else differs; else nothing is told to be over.

        Raises:
            NotFound: There is no such bot.
        """
        async with self._transaction() as connection:
            await lock_bot(connection, bot_id)
            known = await _known(connection, bot_id)
            differed = {what for what, (kind, _) in known.items() if kind == DIFFERS}
            for what in [one for one in differs if one not in differed]:
                await _tell(connection, bot_id, (DIFFERS, what), known)
            for what in sorted(differed.difference(differs)) if is_all else ():
                await _tell(connection, bot_id, (AGREES, what), known)

    async def untold_orders(self, bot_id: str, since_ms: int) -> list[Order]:
        """Give orders that were filled since a wall time and are in no event, oldest first."""
        told = select(events.c.id).where(
            events.c.bot_id == orders.c.bot_id, events.c.key == "order:" + orders.c.id
        )
        query = (
            select(*ORDER)
            .where(orders.c.bot_id == bot_id, orders.c.finished_at >= since_ms)
            .where(orders.c.state == OrderState.FILLED)
            .where(~told.exists())
            .order_by(orders.c.number)
        )
        async with self._statements() as connection:
            rows = (await connection.execute(query)).mappings()
            return [Order.model_validate(dict(row)) for row in rows]


Known = dict[str, tuple[str, int]]
"""Of each difference that was told: whether it was told last to be, and how often it was told."""


async def _known(connection: AsyncConnection, bot_id: str) -> Known:
    what = func.coalesce(events.c.figures["differs"].astext, events.c.text)
    query = (
        select(what.label("what"), events.c.kind)
        .where(events.c.bot_id == bot_id, text(OF_ACCOUNT))
        .order_by(events.c.id)
    )
    known: Known = {}
    for row in await connection.execute(query):
        known[row.what] = row.kind, known.get(row.what, ("", 0))[1] + 1
    return known


async def _tell(
    connection: AsyncConnection, bot_id: str, news: Sequence[str], known: Known
) -> None:
    kind, what = news
    times = known.get(what, ("", 0))[1]
    told = what if kind == DIFFERS else f"No longer so: {what}."
    key = f"{kind}:{what}:{times}"
    await add_event(connection, bot_id, key, (kind, told), {"differs": what})
