"""Of ten thousand refusals each has its rule, its reason and its figures on record."""

from functools import partial

import pytest

from oxbot.adapters.postgres.store import PostgresStore
from oxbot.domain.account import Account
from oxbot.domain.entries import judge
from oxbot.domain.risk import Ruling, Verdict
from oxbot.domain.rules import ENTRY_RULES, LEAST_RULES, REDUCE_RULES
from oxbot.records import Judgement
from tests.support.risk import Chance
from tests.support.trading import NOW_MS, new_bot

pytestmark = pytest.mark.critical

REFUSALS = 10_000
A_CYCLE = 100
RULES = {rule.name for rule in (*ENTRY_RULES, *REDUCE_RULES, *LEAST_RULES)}


def refusals() -> list[Verdict]:
    """So many refusals, of proposals at random in situations at random."""
    chance = Chance(seed=1)
    refused: list[Verdict] = []
    while len(refused) < REFUSALS:
        verdict = judge(chance.proposal(), chance.context())
        if verdict and verdict.ruling is Ruling.REFUSED:
            refused.append(verdict)
    return refused


def _give(judgement: Judgement, _: Account) -> Judgement:
    return judgement


async def test_every_refusal_is_on_record_with_rule_reason_and_figures(
    store: PostgresStore,
) -> None:
    await new_bot(store)
    refused = refusals()
    cycles = range(1, REFUSALS // A_CYCLE + 1)
    for cycle in cycles:
        passed = refused[(cycle - 1) * A_CYCLE : cycle * A_CYCLE]
        await store.open_unseen_cycle("b1", 1, cycle, NOW_MS)
        judgement = Judgement(passed, ())
        await store.judge_cycle("b1", cycle, partial(_give, judgement), entering=True)
    kept = [verdict for cycle in cycles for verdict in await store.verdicts("b1", cycle)]
    assert kept == refused
    assert {verdict.rule for verdict in kept} == RULES
    assert all(verdict.reason and verdict.figures for verdict in kept)
