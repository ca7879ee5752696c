"""Decisions and verdicts: one of each a cycle, whoever comes second."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from pydantic import TypeAdapter
from sqlalchemy import RowMapping, Select, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres.accounts import locked_account
from oxbot.adapters.postgres.bots import cancel_outdated_entries
from oxbot.adapters.postgres.columns import Money
from oxbot.adapters.postgres.history import trades_listed
from oxbot.adapters.postgres.questions import ASKED
from oxbot.adapters.postgres.rows import (
    DECISION,
    OF_CYCLE,
    Records,
    lock_bot,
    order_row,
    read_verdicts,
    reserved_cash,
)
from oxbot.adapters.postgres.schema import (
    ONE_ORDER_UNDER_WAY,
    cycles,
    llm_decisions,
    orders,
    risk_verdicts,
    trades,
)
from oxbot.domain.account import Account
from oxbot.domain.errors import Conflict, NotFound
from oxbot.domain.lifecycle import WITHOUT_FILL
from oxbot.domain.money import Notional
from oxbot.domain.orders import Order, Purpose
from oxbot.domain.risk import Context, Verdict
from oxbot.records import DecisionRecord, Facts, Judge, Lately, TradeRow

CONTEXT: Final = TypeAdapter(Context)
"""Writes and reads what a judgement rests on."""


class Decisions(Records):
    """The part of the store that keeps what models decided and what the rules made of it."""

    async def decision(self, bot_id: str, cycle: int) -> DecisionRecord | None:
        """Give a cycle's decision, if it has one."""
        async with self._statements() as connection:
            return await _decision(connection, bot_id, cycle)

    async def save_decision(
        self, record: DecisionRecord, facts: Facts | None = None
    ) -> DecisionRecord:
        """Keep a cycle's only decision with its facts; if one is stored, that one is returned."""
        row = record.model_dump(exclude={"choice"}) | {
            "choice": record.choice and record.choice.model_dump(mode="json"),
            "facts": facts and facts.model_dump(mode="json"),
        }
        new = upsert(llm_decisions).values(row).on_conflict_do_nothing()
        async with self._statements() as connection:
            if await connection.scalar(new.returning(llm_decisions.c.id)):
                return record
            kept = await _decision(connection, record.bot_id, record.cycle)
        if kept is None:
            raise Conflict(f"The id {record.id} belongs to the decision of another cycle.")
        return kept

    async def model_cost(self, bot_id: str, since_ms: int) -> tuple[Decimal, Decimal]:
        """Give what the models of a bot, and of all bots, cost since a wall time, in USD."""
        cost, nothing = func.sum(llm_decisions.c.cost_usd), literal(Decimal(0), Money)
        own = cost.filter(llm_decisions.c.bot_id == bot_id)
        query = select(
            func.coalesce(own, nothing, type_=Money), func.coalesce(cost, nothing, type_=Money)
        ).where(llm_decisions.c.decided_at >= since_ms)
        async with self._statements() as connection:
            row = (await connection.execute(query)).one()
        return row[0], row[1]

    async def judged(self, bot_id: str, cycle: int) -> bool:
        """Tell whether a cycle's verdicts are stored."""
        query = select(cycles.c.judged_at).where(cycles.c.bot_id == bot_id, cycles.c.cycle == cycle)
        async with self._statements() as connection:
            return await connection.scalar(query) is not None

    async def judge_cycle(self, bot_id: str, cycle: int, judge: Judge, *, entering: bool) -> None:
        """Have a cycle judged, and store verdicts and intended orders, all under locks.

        Locked are the bot's row and, where entries may follow, that of its account: of two
        bots of one owner the second is judged when the first one's entries are on record.

        Entries of an epoch that is over can never be sent, so they are cancelled as they come.

        Raises:
            Conflict: The cycle was judged before, an intended order's coin already has an
                order under way, or the entries would reserve more cash than there is. Nothing
                is stored then.
            NotFound: The bot or the cycle does not exist.
        """
        async with self._transaction() as connection:
            bot = await lock_bot(connection, bot_id)
            account = await locked_account(connection, bot) if entering else Account()
            verdicts, intended, context = judge(account)
            await _mark_judged(connection, (bot_id, cycle), context)
            await _add_verdicts(connection, (bot_id, cycle), verdicts)
            await _intend(connection, intended)
            why = "not sent: the bot was told otherwise meanwhile"
            await cancel_outdated_entries(connection, (bot_id, bot["epoch"]), why)
            if not all(order.purpose.is_exit for order in intended):
                await _must_be_covered(connection, bot_id, bot["cash"])

    async def verdicts(self, bot_id: str, cycle: int) -> list[Verdict]:
        """Give a cycle's verdicts, in the order in which they were passed."""
        async with self._statements() as connection:
            return await read_verdicts(connection, bot_id, (cycle, cycle))

    async def lately(self, bot_id: str, cycle: int) -> Lately | None:
        """Give what happened since the last decision before this cycle; None without one."""
        async with self._still_picture() as connection:
            decided = await _last_decided(connection, bot_id, cycle)
            if decided is None:
                return None
            since = decided["cycle"], cycle - 1
            verdicts = await read_verdicts(connection, bot_id, since)
            closed = await connection.execute(_closed_since(bot_id, decided["due_at"]))
            trades = [TradeRow.model_validate(dict(row)) for row in closed.mappings()]
            ended = await connection.execute(_unfilled(bot_id, since))
            unfilled = {row["symbol"]: row["reason"] for row in ended.mappings()}
        return Lately(
            cycle=decided["cycle"],
            verdicts=tuple(verdicts),
            trades=tuple(trades),
            unfilled=unfilled,
        )


async def _last_decided(connection: AsyncConnection, bot_id: str, before: int) -> RowMapping | None:
    """Give the newest cycle before this one in which a model was asked."""
    query = (
        select(cycles.c.cycle, cycles.c.due_at)
        .join(llm_decisions, OF_CYCLE)
        .where(cycles.c.bot_id == bot_id, cycles.c.cycle < before, ASKED)
        .order_by(cycles.c.cycle.desc())
        .limit(1)
    )
    return (await connection.execute(query)).mappings().one_or_none()


def _closed_since(bot_id: str, moment_ms: int) -> Select[*tuple[object, ...]]:
    mine = (trades.c.bot_id == bot_id) & (trades.c.closed_at >= moment_ms)
    return trades_listed().where(mine).order_by(trades.c.fill_id)


def _unfilled(bot_id: str, cycles: tuple[int, int]) -> Select[tuple[str, str]]:
    """Select the entries of cycles, first and last included, that ended without a fill."""
    return (
        select(orders.c.symbol, orders.c.reason)
        .where(
            orders.c.bot_id == bot_id,
            orders.c.cycle.between(*cycles),
            orders.c.purpose == Purpose.ENTRY,
            orders.c.state.in_(WITHOUT_FILL),
        )
        .order_by(orders.c.number)
    )


async def _decision(connection: AsyncConnection, bot_id: str, cycle: int) -> DecisionRecord | None:
    query = select(*DECISION).where(
        llm_decisions.c.bot_id == bot_id, llm_decisions.c.cycle == cycle
    )
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else DecisionRecord.model_validate(dict(row))


async def _mark_judged(
    connection: AsyncConnection, judged: tuple[str, int], context: Context | None
) -> None:
    """Take the cycle for this judgement and keep what it rests on, or say who has it."""
    bot_id, cycle = judged
    named = (cycles.c.bot_id == bot_id) & (cycles.c.cycle == cycle)
    rests_on = None if context is None else CONTEXT.dump_python(context, mode="json")
    first = (
        update(cycles)
        .where(named, cycles.c.judged_at.is_(None))
        .values(judged_at=func.now(), judged_on=rests_on)
    )
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
    rows = [order_row(order) for order in intended]
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
