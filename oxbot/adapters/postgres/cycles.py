"""Cycles: what each saw, and how it ended."""

from collections.abc import Mapping, Sequence

from sqlalchemy import RowMapping, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres.rows import Records, add_event, lock_bot
from oxbot.adapters.postgres.schema import CycleState, bots, cycles, equity_points, fills, trades
from oxbot.domain.errors import Conflict, NotFound
from oxbot.domain.money import Notional, plain
from oxbot.domain.orders import OrderState
from oxbot.messages import CycleOutcome, Missed, OrderOutcome
from oxbot.records import CycleStart


class Cycles(Records):
    """The part of the store that keeps cycles."""

    async def begin_cycle(self, start: CycleStart) -> CycleStart:
        """Open a cycle's row; a cycle already begun keeps and returns what it saw first.

        Raises:
            Conflict: The cycle was recorded as skipped before it saw anything: too late.
        """
        seen = start.model_dump(mode="json")
        values = {
            **start.model_dump(include={"bot_id", "cycle", "incarnation", "snapshot_id"}),
            "due_at": start.due_ms,
            "state": CycleState.BEGUN,
            "clock": seen["clock"],
            "quotes": seen["quotes"],
        }
        async with self._statements() as connection:
            await connection.execute(insert(cycles).values(values).on_conflict_do_nothing())
            row = await _cycle(connection, start.bot_id, start.cycle)
        if row is None or row["snapshot_id"] is None:
            raise Conflict(f"Cycle {start.cycle} of {start.bot_id} was given up before.")
        return _start_from(row)

    async def open_unseen_cycle(
        self, bot_id: str, incarnation: int, cycle: int, due_ms: int
    ) -> None:
        """Open the row of a cycle that saw nothing of the market; one that exists stays."""
        values = {
            "bot_id": bot_id,
            "cycle": cycle,
            "incarnation": incarnation,
            "due_at": due_ms,
            "state": CycleState.BEGUN,
        }
        async with self._statements() as connection:
            await connection.execute(insert(cycles).values(values).on_conflict_do_nothing())

    async def cycle(self, bot_id: str, cycle: int) -> CycleStart:
        """Give what a cycle saw; NotFound."""
        async with self._statements() as connection:
            row = await _cycle(connection, bot_id, cycle)
        if row is None or row["snapshot_id"] is None:
            raise NotFound(f"Cycle {cycle} of {bot_id} saw nothing.")
        return _start_from(row)

    async def record_cycles(
        self,
        bot_id: str,
        outcomes: Sequence[CycleOutcome],
        missed: Sequence[Missed],
        equity: Mapping[str, Notional],
        *,
        fresh: bool = False,
    ) -> None:
        """Close cycles with their outcome, add events and the equity point; repeatable.

        `equity` has "equity" and "cash" in USDT as of now, so that only the newest cycle gets
        a point; where it is `fresh`, the high-water mark rises with it. A cycle recorded before
        stays as it is.
        """
        async with self._transaction() as connection:
            await lock_bot(connection, bot_id)
            for outcome in sorted(outcomes, key=lambda outcome: outcome.cycle):
                await _record(connection, bot_id, outcome)
            for gap in missed:
                await _tell_missed(connection, bot_id, gap)
            if outcomes and equity:
                newest = max(outcomes, key=lambda outcome: outcome.cycle)
                at = {"bot_id": bot_id, "cycle": newest.cycle, "at": newest.due_ms}
                await _add_point(connection, {**at, **equity, "fresh": fresh})


async def _cycle(connection: AsyncConnection, bot_id: str, cycle: int) -> RowMapping | None:
    query = select(cycles).where(cycles.c.bot_id == bot_id, cycles.c.cycle == cycle)
    return (await connection.execute(query)).mappings().one_or_none()


def _start_from(row: RowMapping) -> CycleStart:
    return CycleStart(
        bot_id=row["bot_id"],
        incarnation=row["incarnation"],
        cycle=row["cycle"],
        due_ms=row["due_at"],
        clock=row["clock"],
        snapshot_id=row["snapshot_id"],
        quotes=row["quotes"],
    )


async def _record(connection: AsyncConnection, bot_id: str, outcome: CycleOutcome) -> None:
    """Write one outcome and what it has to tell."""
    ended = {
        "state": CycleState.COMPLETED if outcome.skipped is None else CycleState.SKIPPED,
        "skipped": outcome.skipped,
        "outcome": outcome.model_dump(mode="json"),
        "recorded_at": func.now(),
    }
    begun = {
        "bot_id": bot_id,
        "cycle": outcome.cycle,
        "incarnation": outcome.incarnation,
        "due_at": outcome.due_ms,
    }
    await connection.execute(
        insert(cycles)
        .values({**begun, **ended})
        .on_conflict_do_update(
            index_elements=["bot_id", "cycle"],
            set_=ended,
            where=cycles.c.state == CycleState.BEGUN,
        )
    )
    if outcome.skipped is not None:
        told = f"Cycle {outcome.cycle} was skipped: {outcome.skipped}."
        figures = {"cycle": str(outcome.cycle), "due_ms": str(outcome.due_ms)}
        key = f"cycle:{outcome.cycle}"
        await add_event(connection, bot_id, key, ("cycle_skipped", told), figures)
    for order in outcome.orders:
        if order.state is OrderState.FILLED:
            await tell_filled(connection, bot_id, outcome.cycle, order)


async def _add_point(connection: AsyncConnection, point: Mapping[str, object]) -> None:
    """Add a cycle's equity; a new one by fresh prices may raise the high-water mark."""
    new = insert(equity_points).values(point).on_conflict_do_nothing()
    added = (await connection.execute(new.returning(equity_points.c.cycle))).one_or_none()
    if added is None or not point["fresh"]:
        return
    mark = func.greatest(bots.c.high_water, point["equity"])  # of null and a number the number
    raised = update(bots).where(bots.c.id == point["bot_id"]).values(high_water=mark)
    await connection.execute(raised)


async def _tell_missed(connection: AsyncConnection, bot_id: str, gap: Missed) -> None:
    counted = {0: "No tick was", 1: "1 tick was"}.get(gap.ticks, f"{gap.ticks} ticks were")
    told = f"{counted} missed: {gap.cause}."
    figures = {
        "ticks": str(gap.ticks),
        "from_ms": str(gap.from_ms),
        "until_ms": str(gap.until_ms),
    }
    key = f"missed:{gap.from_ms}"
    await add_event(connection, bot_id, key, ("ticks_missed", told), figures)


async def tell_filled(
    connection: AsyncConnection, bot_id: str, cycle: int, order: OrderOutcome
) -> None:
    """Tell what an order opened, reduced or closed."""
    kind = await _kind(connection, order) if order.purpose.is_exit else "opened"
    why = f" ({order.purpose})" if order.purpose.is_exit else ""
    price = plain(order.price) if order.price is not None else "an unknown price"
    told = f"{kind.capitalize()} {order.symbol}{why}: {plain(order.filled)} at {price} USDT."
    figures = {
        "cycle": str(cycle),
        "order": order.order_id,
        "symbol": order.symbol,
        "purpose": order.purpose.value,
        "quantity": str(order.filled),
        "price": str(order.price),
        "reason": order.reason,
    }
    await add_event(connection, bot_id, f"order:{order.order_id}", (kind, told), figures)


async def _kind(connection: AsyncConnection, order: OrderOutcome) -> str:
    """Say whether an exit closed its position; what it left is still there otherwise."""
    own = fills.c.order_id == order.order_id
    closing = select(fills.c.id).join(trades, trades.c.fill_id == fills.c.id).where(own)
    left = select(exists(select(fills.c.id).where(own)) & ~exists(closing))
    return "reduced" if await connection.scalar(left) else "closed"
