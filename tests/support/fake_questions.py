"""The record in memory: which questions models were asked."""

from decimal import Decimal

from oxbot.domain.decision import DecisionCounts
from oxbot.records import CycleStart, DecisionRecord, Facts, LastQuestion
from tests.support.fake_memory import FakeMemory


class FakeQuestions(FakeMemory):
    """Tells whether models were asked, as the database does."""

    def __init__(self) -> None:
        super().__init__()
        self.facts: dict[tuple[str, int], Facts | None] = {}
        self._starts: dict[tuple[str, int], CycleStart] = {}

    async def last_question(self, bot_id: str, cycle: int) -> LastQuestion | None:
        """Give the last question asked before this cycle, with what it showed."""
        asked = [n for (known, n), r in self._decisions.items() if known == bot_id and r.asked]
        last = max((n for n in asked if n < cycle), default=None)
        if last is None:
            return None
        record = self._decisions[bot_id, last]
        return LastQuestion(
            cycle=last,
            facts=self.facts[bot_id, last],
            quotes=self._starts[bot_id, last].quotes,
            decided=record.decision is not None,
            choice=record.choice,
            prompt_version=record.prompt_version,
        )

    async def decision_counts(self, since_ms: int, bot_id: str | None = None) -> DecisionCounts:  # noqa: ARG002 - all is of today
        """Count what came of the cycles of one bot or of all."""
        mine = [r for (known, _), r in self._decisions.items() if bot_id in (None, known)]
        outcomes = [_outcome(record) for record in mine]
        cost = sum((record.cost_usd for record in mine), Decimal(0))
        counted = {name: outcomes.count(name) for name in set(outcomes)}
        return DecisionCounts.model_validate({**counted, "cost_usd": cost})


def _outcome(record: DecisionRecord) -> str:
    if not record.asked:
        return "gated" if record.gated else "unasked"
    if record.decision is None:
        return "failed"
    return "repaired" if record.repaired else "decided"
