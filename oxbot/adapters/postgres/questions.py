"""Which questions models were asked: the last one of a bot, and how many came to what."""

from decimal import Decimal
from typing import Final

from pydantic import ValidationError
from sqlalchemy import RowMapping, func, literal, select

from oxbot.adapters.postgres.columns import Money
from oxbot.adapters.postgres.rows import OF_CYCLE, Records
from oxbot.adapters.postgres.schema import cycles, llm_decisions
from oxbot.domain.decision import DecisionCounts
from oxbot.records import LastQuestion

ASKED: Final = llm_decisions.c.prompt_hash != ""
"""A model was shown something; where none was, it does not know what happened before."""

_FAILED: Final = llm_decisions.c.decision.is_(None)
_QUESTION: Final = (
    *(c for c in llm_decisions.c if c.name in LastQuestion.model_fields),
    cycles.c.quotes,
    (~_FAILED).label("decided"),
)
_NOTHING: Final = literal(Decimal(0), Money)
_COUNTS: Final = (
    func.count().filter(ASKED, ~_FAILED, ~llm_decisions.c.repaired).label("decided"),
    func.count().filter(ASKED, ~_FAILED, llm_decisions.c.repaired).label("repaired"),
    func.count().filter(ASKED, _FAILED).label("failed"),
    func.count().filter(llm_decisions.c.gated).label("gated"),
    func.count().filter(~ASKED, ~llm_decisions.c.gated).label("unasked"),
    func.coalesce(func.sum(llm_decisions.c.cost_usd), _NOTHING, type_=Money).label("cost_usd"),
)


class Questions(Records):
    """The part of the store that tells whether models were asked."""

    async def last_question(self, bot_id: str, cycle: int) -> LastQuestion | None:
        """Give the last question asked before this cycle, with what it showed; None without."""
        query = (
            select(*_QUESTION)
            .join(cycles, OF_CYCLE)
            .where(llm_decisions.c.bot_id == bot_id, llm_decisions.c.cycle < cycle, ASKED)
            .order_by(llm_decisions.c.cycle.desc())
            .limit(1)
        )
        async with self._statements() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else _question(row)

    async def decision_counts(self, since_ms: int, bot_id: str | None = None) -> DecisionCounts:
        """Count what came of the cycles of one bot or of all since a wall time."""
        query = select(*_COUNTS).where(llm_decisions.c.decided_at >= since_ms)
        if bot_id is not None:
            query = query.where(llm_decisions.c.bot_id == bot_id)
        async with self._statements() as connection:
            row = (await connection.execute(query)).mappings().one()
        return DecisionCounts.model_validate(dict(row))


def _question(row: RowMapping) -> LastQuestion:
    """Read a question; facts that an older version wrote in another form are none."""
    try:
        return LastQuestion.model_validate(dict(row))
    except ValidationError:
        return LastQuestion.model_validate({**row, "facts": None, "quotes": {}, "choice": None})
