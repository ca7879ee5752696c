"""Cycles with all that their decisions rested on."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from sqlalchemy import RowMapping, Select, and_, func, literal, select, true
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from oxbot.adapters.postgres.columns import Money
from oxbot.adapters.postgres.questions import ASKED
from oxbot.adapters.postgres.rows import DECISION, OF_CYCLE, Records, must_exist, read_verdicts
from oxbot.adapters.postgres.schema import (
    bots,
    cycles,
    equity_points,
    llm_decisions,
)
from oxbot.adapters.postgres.snapshots import Snapshots
from oxbot.app.seen_cycle import Lived, SeenCycle
from oxbot.domain.bot import BotSettings, no_bot
from oxbot.domain.errors import NotFound
from oxbot.domain.money import Notional
from oxbot.records import DecisionRecord

_SEEN: Final = (
    llm_decisions.c.facts,
    cycles.c.snapshot_id,
    cycles.c.quotes,
    cycles.c.judged_on,
    cycles.c.due_at.label("due_ms"),
)


class PostgresSeenCycles(Records):
    """`oxbot.app.seen_cycle.SeenCycles` in PostgreSQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine)
        self._snapshots = Snapshots(engine)

    async def asked(self, bot_id: str, cycles: range | None, last: int) -> list[int]:
        """Give the numbers of cycles in which a bot's model was asked, oldest first; NotFound."""
        mine = and_(llm_decisions.c.bot_id == bot_id, ASKED)
        query = select(llm_decisions.c.cycle).where(mine)
        if cycles is not None:
            query = query.where(llm_decisions.c.cycle.between(cycles.start, cycles.stop - 1))
        newest = query.order_by(llm_decisions.c.cycle.desc()).limit(last)
        async with self._statements() as connection:
            await must_exist(connection, bot_id)
            return sorted((await connection.execute(newest)).scalars())

    async def lived(self, bot_id: str, first: int, last: int) -> Lived:
        """Give what a bot did from one cycle to another, all included; NotFound."""
        async with self._still_picture() as connection:
            settings = await connection.scalar(select(bots.c.settings).where(bots.c.id == bot_id))
            if settings is None:
                raise no_bot(bot_id)
            chosen = BotSettings.model_validate(settings)
            first_ms, last_ms = [await _due(connection, bot_id, n) for n in (first, last)]
            cost, priced = (await connection.execute(_cost(bot_id, first, last))).one()
            return Lived(
                settings=chosen,
                first_ms=first_ms,
                last_ms=last_ms,
                before=await connection.scalar(_equity(bot_id, below=first)) or chosen.capital,
                after=await connection.scalar(_equity(bot_id, below=last + 1)),
                model_usd=cost if priced else None,
            )

    async def seen(self, bot_id: str, cycle: int) -> SeenCycle:
        """Give one of them; NotFound."""
        async with self._still_picture() as connection:
            found = (await connection.execute(_of(bot_id, cycle))).mappings().one_or_none()
            if found is None:
                raise NotFound(f"No model was asked in cycle {cycle} of {bot_id}.")
            verdicts = await read_verdicts(connection, bot_id, (cycle, cycle))
        snapshot = await self._snapshots.snapshot(found["snapshot_id"])
        return SeenCycle(
            record=_record(found),
            due_ms=found["due_ms"],
            features=snapshot.features,
            quotes=found["quotes"],
            facts=found["facts"],
            context=found["judged_on"],
            verdicts=tuple(verdicts),
        )


async def _due(connection: AsyncConnection, bot_id: str, cycle: int) -> int:
    named = and_(cycles.c.bot_id == bot_id, cycles.c.cycle == cycle)
    due_ms: int | None = await connection.scalar(select(cycles.c.due_at).where(named))
    if due_ms is None:
        raise NotFound(f"There is no cycle {cycle} of {bot_id}.")
    return due_ms


def _cost(bot_id: str, first: int, last: int) -> Select[*tuple[Decimal, bool]]:
    mine = and_(llm_decisions.c.bot_id == bot_id, llm_decisions.c.cycle.between(first, last))
    cost = func.coalesce(
        func.sum(llm_decisions.c.cost_usd, type_=Money), literal(Decimal(0), Money)
    )
    return select(cost, func.coalesce(func.bool_and(llm_decisions.c.priced), true())).where(mine)


def _equity(bot_id: str, below: int) -> Select[*tuple[Notional]]:
    """Give the newest equity of the cycles before one."""
    earlier = and_(equity_points.c.bot_id == bot_id, equity_points.c.cycle < below)
    newest_first = equity_points.c.cycle.desc()
    return select(equity_points.c.equity).where(earlier).order_by(newest_first).limit(1)


def _of(bot_id: str, cycle: int) -> Select[*tuple[object, ...]]:
    named = and_(llm_decisions.c.bot_id == bot_id, llm_decisions.c.cycle == cycle)
    return select(*DECISION, *_SEEN).join(cycles, OF_CYCLE).where(named)


def _record(row: RowMapping) -> DecisionRecord:
    named: Mapping[str, object] = {name: row[name] for name in DecisionRecord.model_fields}
    return DecisionRecord.model_validate(named)
