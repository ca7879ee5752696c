"""Decisions and verdicts: one of each a cycle, whoever comes second."""

from collections.abc import Sequence

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres.rows import Records, lock_bot, reserved_cash
from oxbot.adapters.postgres.schema import (
    ONE_ORDER_UNDER_WAY,
    cycles,
    llm_decisions,
    orders,
    risk_verdicts,
)
from oxbot.domain.errors import Conflict, NotFound
from oxbot.domain.money import Notional
from oxbot.domain.orders import Order
from oxbot.domain.risk import Verdict
from oxbot.records import DecisionRecord

_DECISION = tuple(c for c in llm_decisions.c if c.name in DecisionRecord.model_fields)
_VERDICT = tuple(c for c in risk_verdicts.c if c.name in Verdict.model_fields)


class Decisions(Records):
    """The part of the store that keeps what models decided and what the rules made of it."""

    async def decision(self, bot_id: str, cycle: int) -> DecisionRecord | None:
        """Give a cycle's decision, if it has one."""
        async with self._statements() as connection:
            return await _decision(connection, bot_id, cycle)

    async def save_decision(self, record: DecisionRecord) -> DecisionRecord:
        """Keep a cycle's only decision; if one is stored, that one is returned."""
        async with self._statements() as connection:
            new = upsert(llm_decisions).values(record.model_dump())
            await connection.execute(new.on_conflict_do_nothing())
            kept = await _decision(connection, record.bot_id, record.cycle)
        if kept is None:
            raise Conflict(f"The id {record.id} belongs to the decision of another cycle.")
        return kept

    async def judged(self, bot_id: str, cycle: int) -> bool:
        """Tell whether a cycle's verdicts are stored."""
        query = select(cycles.c.judged_at).where(cycles.c.bot_id == bot_id, cycles.c.cycle == cycle)
        async with self._statements() as connection:
            return await connection.scalar(query) is not None

    async def save_verdicts(
        self, bot_id: str, cycle: int, verdicts: Sequence[Verdict], orders: Sequence[Order]
    ) -> None:
        """Store verdicts and intended orders together, under the bot's row lock.

        Raises:
            Conflict: The cycle was judged before, an intended order's coin already has an
                order under way, or the entries would reserve more cash than there is. Nothing
                is stored then.
            NotFound: The bot or the cycle does not exist.
        """
        async with self._transaction() as connection:
            bot = await lock_bot(connection, bot_id)
            await _mark_judged(connection, bot_id, cycle)
            await _add_verdicts(connection, (bot_id, cycle), verdicts)
            await _intend(connection, orders)
            await _must_be_covered(connection, bot_id, bot["cash"])

    async def verdicts(self, bot_id: str, cycle: int) -> list[Verdict]:
        """Give a cycle's verdicts, in the order in which they were passed."""
        query = (
            select(*_VERDICT)
            .where(risk_verdicts.c.bot_id == bot_id, risk_verdicts.c.cycle == cycle)
            .order_by(risk_verdicts.c.number)
        )
        async with self._statements() as connection:
            rows = (await connection.execute(query)).mappings()
            return [Verdict.model_validate(dict(row)) for row in rows]


async def _decision(connection: AsyncConnection, bot_id: str, cycle: int) -> DecisionRecord | None:
    query = select(*_DECISION).where(
        llm_decisions.c.bot_id == bot_id, llm_decisions.c.cycle == cycle
    )
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else DecisionRecord.model_validate(dict(row))


async def _mark_judged(connection: AsyncConnection, bot_id: str, cycle: int) -> None:
    """Take the cycle for this judgement, or say who has it."""
    named = (cycles.c.bot_id == bot_id) & (cycles.c.cycle == cycle)
    first = update(cycles).where(named, cycles.c.judged_at.is_(None)).values(judged_at=func.now())
    if (await connection.execute(first.returning(cycles.c.cycle))).one_or_none():
        return
    if await connection.scalar(select(cycles.c.cycle).where(named)) is None:
        raise NotFound(f"There is no cycle {cycle} of {bot_id}.")
    raise Conflict(f"Cycle {cycle} of {bot_id} was judged before; its verdicts stand.")


async def _add_verdicts(
    connection: AsyncConnection, cycle: tuple[str, int], verdicts: Sequence[Verdict]
) -> None:
    bot_id, number = cycle
    rows = [
        {"bot_id": bot_id, "cycle": number, "number": place, **verdict.model_dump()}
        for place, verdict in enumerate(verdicts, start=1)
    ]
    if rows:
        await connection.execute(insert(risk_verdicts), rows)


async def _intend(connection: AsyncConnection, intended: Sequence[Order]) -> None:
    """Write orders down; the database allows one under way per coin."""
    rows = [
        {**order.model_dump(exclude={"expires_ms"}), "expires_at": order.expires_ms}
        for order in intended
    ]
    if not rows:
        return
    try:
        await connection.execute(insert(orders), rows)
    except IntegrityError as error:
        if ONE_ORDER_UNDER_WAY not in str(error.orig):
            raise
        raise Conflict("A coin of these orders has an order under way already.") from error


async def _must_be_covered(connection: AsyncConnection, bot_id: str, cash: Notional) -> None:
    reserved = await reserved_cash(connection, bot_id)
    if reserved > cash:
        raise Conflict(f"The entries would reserve {reserved} USDT, but only {cash} are there.")
