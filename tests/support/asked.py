"""Decisions on record: those that a model was asked for, and those that nobody was."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from oxbot.adapters.postgres.store import PostgresStore
from oxbot.domain.models import ModelChoice
from oxbot.records import DecisionRecord, Facts
from tests.support.trading import begin

DECISION: Final = '{"proposals": [], "summary": "calm"}'
CHOICE: Final = ModelChoice(provider="dashscope", model="qwen-plus", temperature=Decimal("0.30"))

NOBODY: Final[Mapping[str, object]] = {
    "prompt_hash": "",
    "prompt": "",
    "reply": "",
    "cost_usd": Decimal(0),
    "choice": None,
}
GATED: Final[Mapping[str, object]] = {**NOBODY, "gated": True}
FAILED: Final[Mapping[str, object]] = {"decision": None, "failed": "no JSON"}
SPENT: Final[Mapping[str, object]] = {**NOBODY, "decision": None, "failed": "spent"}


async def ask(
    store: PostgresStore,
    cycle: int,
    how: Mapping[str, object] | None = None,
    *,
    facts: Facts | None = None,
    bot_id: str = "b1",
) -> None:
    """Keep a decision in a cycle of its own, asked for unless `how` has it otherwise."""
    await begin(store, bot_id, cycle)
    plain = DecisionRecord(
        id=f"{bot_id}-{cycle}",
        bot_id=bot_id,
        cycle=cycle,
        provider="dashscope",
        model="qwen-plus",
        label="dashscope qwen-plus",
        prompt_hash="abc",
        prompt="what now?",
        prompt_version="7",
        reply=DECISION,
        decision=DECISION,
        choice=CHOICE,
        cost_usd=Decimal("0.004"),
    )
    await store.save_decision(plain.model_copy(update=dict(how or {})), facts)
