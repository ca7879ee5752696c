"""Decisions as people look at them: what the model saw, said, and what came of it."""

from decimal import Decimal
from typing import Protocol

from oxbot.domain.decision import Decision
from oxbot.domain.risk import Verdict
from oxbot.domain.values import Value
from oxbot.records import DecisionRecord, OrderRow, TradeRow


class DecisionRow(Value):
    """A decision as listed; `due_ms` is the cycle's tick in venue ms, cost in USD.

    `decision` is the parsed reply as JSON; None where `failed` says why the cycle held. A model
    was `asked`, or not: `gated`, as nothing had changed.
    """

    id: str
    bot_id: str
    cycle: int
    due_ms: int
    label: str
    decision: str | None
    failed: str | None
    repaired: bool
    passed_over: str | None = None
    asked: bool
    gated: bool
    tokens_in: int
    tokens_out: int
    cost_usd: Decimal
    duration_ms: int

    @property
    def told(self) -> str:
        """The model's own summary, or why the cycle held."""
        if self.decision is None:
            return f"held: {self.failed}"
        return Decision.model_validate_json(self.decision).summary


class DecisionPage(Value):
    """One decision in full.

    `verdicts` are those of its cycle; `orders` those of the cycle, with what closed a position
    between this cycle and the next; `trades` the round trips that these orders opened or closed.
    """

    record: DecisionRecord
    due_ms: int
    decided_ms: int
    verdicts: tuple[Verdict, ...]
    orders: tuple[OrderRow, ...]
    trades: tuple[TradeRow, ...]

    @property
    def decision(self) -> Decision | None:
        """The parsed reply; None where the cycle held."""
        text = self.record.decision
        return None if text is None else Decision.model_validate_json(text)


class Decisions(Protocol):
    """The record of decisions, to be looked at."""

    async def listed(self, bot_id: str | None, limit: int) -> list[DecisionRow]:
        """Give the last decisions of one bot or of all, newest first.

        Raises:
            NotFound: There is no such bot.
        """
        ...

    async def page(self, decision_id: str) -> DecisionPage:
        """Give one decision with what followed from it.

        Raises:
            NotFound: There is none of this id.
        """
        ...
