"""What PostgreSQL tells of itself, and of what models have said lately."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on

from oxbot.adapters.postgres.questions import ASKED
from oxbot.adapters.postgres.rows import Records
from oxbot.adapters.postgres.schema import llm_decisions
from oxbot.records.answers import LastAnswers

NEWEST: Final = 10_000
"""Decisions of all bots that are looked through: a bounded look, however long the record is."""

_newest: Final = (
    select(
        llm_decisions.c.provider,
        llm_decisions.c.decided_at,
        llm_decisions.c.failed,
        llm_decisions.c.decision.is_(None).label("has_failed"),
        ASKED.label("asked"),
    )
    .order_by(llm_decisions.c.decided_at.desc())
    .limit(NEWEST)
    .subquery("newest")
)
_LAST: Final = (
    select(_newest)
    .where(_newest.c.asked)
    .ext(distinct_on(_newest.c.provider, _newest.c.has_failed))
    .order_by(_newest.c.provider, _newest.c.has_failed, _newest.c.decided_at.desc())
)


class PostgresProbe(Records):
    """`oxbot.ports.probing.Server` and `Answers`: `PostgresProbe(open_engine(url))`."""

    async def version(self) -> str:
        """Give the server's version."""
        async with self._statements() as connection:
            told = await connection.scalar(select(func.current_setting("server_version")))
        return str(told).partition(" ")[0]

    async def last_answers(self, providers: Collection[str]) -> dict[str, LastAnswers]:
        """Give the last success and failure of each provider, of the newest decisions on record."""
        query = _LAST.where(_newest.c.provider.in_(list(providers)))
        found = dict.fromkeys(providers, LastAnswers())
        async with self._statements() as connection:
            for row in (await connection.execute(query)).mappings():
                at_ms = row["decided_at"]
                news: dict[str, object] = (
                    {"failure_ms": at_ms, "failure": row["failed"] or ""}
                    if row["has_failed"]
                    else {"success_ms": at_ms}
                )
                found[row["provider"]] = found[row["provider"]].model_copy(update=news)
        return found
