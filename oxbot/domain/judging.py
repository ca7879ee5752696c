"""One cycle's judgement: losses, then positions, then what a model proposes."""

from collections.abc import Sequence
from dataclasses import replace

from oxbot.domain.decision import Proposal
from oxbot.domain.entries import judge_all
from oxbot.domain.exits import demanded_exits, losses_at_their_limit
from oxbot.domain.risk import Context, Ruling, Verdict


def judge_cycle(context: Context, proposals: Sequence[Proposal]) -> list[Verdict]:
    """Judge everything that a cycle has to; the same context and wishes give the same verdicts."""
    losses = losses_at_their_limit(context)
    exits = demanded_exits(context)
    leaving = frozenset(v.symbol for v in exits if v.ruling is Ruling.DEMANDED)
    rest = replace(context, busy=context.busy | leaving)
    return [*losses, *exits, *judge_all(proposals, rest)]
