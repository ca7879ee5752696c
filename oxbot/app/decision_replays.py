"""Many recorded cycles decided anew, some at a time, and what that came to."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime
from itertools import islice
from typing import Final

from oxbot.app.decision_replay import Replayed, Variant, replay_cycle
from oxbot.app.differences import Outcome
from oxbot.app.replay_source import BudgetSpent, Source
from oxbot.app.seen_cycle import SeenCycles
from oxbot.domain.errors import ModelRefused, ModelUnavailable
from oxbot.domain.values import Value
from oxbot.records import Spent

AT_ONCE: Final = 4
"""Questions at the same time: providers limit how many may be asked a minute."""


class Sum(Value):
    """All cycles before or after: what rules let pass and refused, and what answers cost."""

    entries: int
    exits: int
    refusals: int
    spent: Spent


class DecisionReplay(Value):
    """Recorded cycles of a bot, decided anew.

    `alike` counts those that came to the same, `different` those that did not, `undone` those
    that could not be decided anew. `asked` is how often a model was asked now, at `paid`; all
    other answers were on record or kept. `stopped` says why the rest was not replayed.
    """

    bot_id: str
    cycles: tuple[Replayed, ...]
    alike: int
    different: int
    undone: int
    before: Sum
    after: Sum
    asked: int
    paid: Spent
    warnings: tuple[str, ...] = ()
    stopped: str | None = None


class Stopped(Exception):  # noqa: N818 - not an error: the rest is left for another time
    """The rest is not replayed now."""


async def replay_all(
    read: SeenCycles,
    which: tuple[str, Sequence[int]],
    variant: Variant,
    source: Source,
) -> AsyncIterator[Replayed]:
    """Replay cycles, some at the same time; gives them in their order.

    Args:
        read: Where they are on record.
        which: The bot, and the numbers of its cycles.
        variant: What is to be different.
        source: Where answers come from.

    Raises:
        Stopped: The model does not answer, refuses, or the budget is spent.
        InputError: No such prompt version, or limits that contradict each other.
    """
    bot_id, cycles = which
    left = iter(cycles)
    while batch := list(islice(left, AT_ONCE)):
        for replayed in await _batch(read, bot_id, batch, variant, source):
            yield replayed


async def _batch(
    read: SeenCycles, bot_id: str, cycles: Sequence[int], variant: Variant, source: Source
) -> list[Replayed]:
    seen = [await read.seen(bot_id, cycle) for cycle in cycles]
    done = await asyncio.gather(
        *(replay_cycle(one, variant, source) for one in seen), return_exceptions=True
    )
    for one in done:
        if isinstance(one, BudgetSpent):
            raise Stopped(str(one)) from one
        if isinstance(one, ModelRefused | ModelUnavailable):
            raise Stopped(f"{one} The same command goes on: answers so far are kept.") from one
        if isinstance(one, BaseException):
            raise one
    return [one for one in done if isinstance(one, Replayed)]


def summed_up(
    bot_id: str,
    cycles: Sequence[Replayed],
    source: Source,
    *,
    warnings: Sequence[str],
    stopped: str | None,
) -> DecisionReplay:
    """Sum up what was replayed."""
    done = [one for one in cycles if one.after is not None]
    different = sum(bool(one.differences) for one in done)
    return DecisionReplay(
        bot_id=bot_id,
        cycles=tuple(cycles),
        alike=len(done) - different,
        different=different,
        undone=len(cycles) - len(done),
        before=_sum([(one.before, one.spent_before) for one in cycles]),
        after=_sum([(one.after, one.spent_after) for one in done if one.after]),
        asked=source.asked,
        paid=source.spent,
        warnings=tuple(warnings),
        stopped=stopped,
    )


def _sum(outcomes: Sequence[tuple[Outcome, Spent]]) -> Sum:
    return Sum(
        entries=sum(outcome.entries for outcome, _ in outcomes),
        exits=sum(outcome.exits for outcome, _ in outcomes),
        refusals=sum(outcome.refusals for outcome, _ in outcomes),
        spent=Spent.on([spent for _, spent in outcomes]),
    )


def foreknowledge(label: str, cutoff: date | None, dues_ms: Sequence[int]) -> str | None:
    """Warn of cycles older than what a model may have read; None where there are none.

    Args:
        label: How the model is named to people.
        cutoff: The day at which its maker says its knowledge ends; None: nobody does.
        dues_ms: When the cycles were due, in venue ms.
    """
    if cutoff is None:
        return (
            f"Nobody states until when {label} has read: if that is after these cycles, it may "
            "know what came of them."
        )
    older = sum(datetime.fromtimestamp(due / 1000, UTC).date() <= cutoff for due in dues_ms)
    if not older:
        return None
    return (
        f"{label} has read until {cutoff}, and {older} of {len(dues_ms)} cycles are older: it may "
        "know what came of them. Results of those say nothing about its judgement."
    )
