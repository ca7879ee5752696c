"""Recorded cycles decided anew: by another model, another wording, under other limits."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from pydantic import Field

from oxbot.app.answering import Ask, answered, held_back, read, repair_of
from oxbot.app.differences import Difference, Outcome, differences
from oxbot.app.prompt import LEFT_OUT, build_request
from oxbot.app.replay_source import Source
from oxbot.app.replies import Replies, reply_key
from oxbot.app.seen_cycle import SeenCycle
from oxbot.domain.bot import RiskLimits
from oxbot.domain.decision import Decision
from oxbot.domain.errors import BadReply, ContentRefused, NotFound
from oxbot.domain.judging import judge_cycle
from oxbot.domain.limits import Given, limits_after
from oxbot.domain.models import (
    BASELINE,
    ModelChoice,
    ModelName,
    Provider,
    Temperature,
)
from oxbot.domain.values import Value
from oxbot.records import MarketBrief, ModelReply, ModelRequest, Spent

UNKNOWN_FACTS: Final = "what its model was shown was not kept by the version that asked"


class ModelChange(Value):
    """What is to be different about who is asked; None is as it was.

    With another provider the model is that provider's usual one unless named, and what the
    model can be held to is as its card says.
    """

    provider: Provider | None = None
    model: ModelName | None = None
    temperature: Temperature | None = None
    json_schema: bool | None = None

    def is_idle(self, choice: ModelChoice) -> bool:
        """Whether there is a wish that a choice cannot follow: the baseline has no models."""
        wished = (self.model, self.temperature, self.json_schema) != (None, None, None)
        return wished and self.of(choice).provider == BASELINE

    def of(self, choice: ModelChoice) -> ModelChoice:
        """Give a choice with the changes."""
        if self.provider not in (None, choice.provider):
            choice = ModelChoice(provider=self.provider, temperature=choice.temperature)
        news = {name: value for name, value in self if value is not None}
        return choice.model_copy(update=news)


class Variant(Value):
    """What is to be different; what is None or empty is as it was.

    `keep`: the decisions stay as they are on record, and only the rules judge anew.
    """

    model: ModelChange = ModelChange()
    prompt_version: str | None = None
    limits: dict[str, Given] = Field(default_factory=dict)
    keep: bool = False


class Replayed(Value):
    """One cycle before and after. `due_ms` is its tick in venue ms.

    `label` is who decided anew, as people are told, and `choice` who was asked for it.
    `undone` says why it could not be decided anew; `after` is None then. `failed` is why the new
    answer is no decision; the cycle would have held.
    """

    cycle: int
    due_ms: int
    decision_id: str
    label: str
    choice: ModelChoice | None = None
    before: Outcome
    after: Outcome | None = None
    undone: str | None = None
    failed: str | None = None
    spent_before: Spent = Spent()
    spent_after: Spent = Spent()

    @property
    def differences(self) -> tuple[Difference, ...]:
        """What differs, coin by coin."""
        return () if self.after is None else differences(self.before, self.after)

    def having(self, **news: object) -> "Replayed":
        """Give it with what came of it."""
        return self.model_copy(update=news)


async def replay_cycle(seen: SeenCycle, variant: Variant, source: Source) -> Replayed:
    """Decide and judge one cycle anew.

    Raises:
        ModelUnavailable: The model does not answer now.
        ModelRefused: It says no, for the key, the account, the model or the request.
        InputError: No such prompt version, or limits that contradict each other.
    """
    brief, before = seen.brief, Outcome(decision=seen.decision, verdicts=seen.verdicts)
    done = Replayed(
        cycle=seen.record.cycle,
        due_ms=seen.due_ms,
        decision_id=seen.record.id,
        label=seen.record.label,
        before=before,
        spent_before=seen.spent,
    )
    if brief is None:
        return done.having(undone=UNKNOWN_FACTS)
    if variant.keep:
        return done.having(after=_judged(seen, variant, seen.decision))
    question = question_of(seen, brief, variant, source)
    label = source.label(question.choice)
    done = done.having(label=label, choice=question.choice)
    same = seen.asked_the_same(question)
    if same and not seen.replies:
        held = _judged(seen, variant, None)
        return done.having(after=held, failed=seen.record.failed, spent_after=seen.spent)
    try:
        ask = _recorded(seen) if same else source.answer
        answer = await answered(label, question, ask)
    except NotFound as error:
        return done.having(undone=str(error))
    except ContentRefused as error:
        nothing = _judged(seen, variant, None)
        spent = Spent.on([held_back(ModelReply.nothing_of(question.choice), error)])
        return done.having(after=nothing, failed=str(error), spent_after=spent)
    return done.having(
        after=_judged(seen, variant, _decision(answer.decision)),
        failed=seen.record.failed if same else answer.failed,
        spent_after=seen.spent if same else Spent.on([answer.reply]),
    )


def question_of(
    seen: SeenCycle, brief: MarketBrief, variant: Variant, source: Source
) -> ModelRequest:
    """Build what is asked instead of what was.

    Raises:
        InputError: No such prompt version, or limits that contradict each other.
    """
    told = brief.model_copy(update={"limits": changed(brief.limits, variant.limits)})
    question = build_request(told, variant.prompt_version or seen.record.prompt_version)
    return question.model_copy(update={"choice": source.named(variant.model.of(seen.choice))})


def changed(limits: RiskLimits, wishes: Mapping[str, Given]) -> RiskLimits:
    """Give limits of which some are changed.

    Raises:
        InputError: They contradict each other then.
    """
    return limits_after(limits, wishes) if wishes else limits


def _recorded(seen: SeenCycle) -> Ask:
    """Give the replies on record, one after the other."""
    recorded = iter(seen.replies)

    async def ask(_: ModelRequest) -> ModelReply:
        known = next(recorded, None)
        if known is None:
            raise NotFound("No second reply is on record.")
        return known

    return ask


def _judged(seen: SeenCycle, variant: Variant, decision: Decision | None) -> Outcome:
    """Judge a decision by what the cycle was judged on; nothing where it never was."""
    if seen.context is None:
        return Outcome(decision=decision)
    context = replace(seen.context, limits=changed(seen.context.limits, variant.limits))
    verdicts = judge_cycle(context, decision.proposals if decision else ())
    return Outcome(decision=decision, verdicts=tuple(verdicts))


def _decision(text: str | None) -> Decision | None:
    return None if text is None else Decision.model_validate_json(text)


async def keep_recorded(seen: SeenCycle, replies: Replies) -> None:
    """Keep the replies on record by what was asked, for those who ask the same again."""
    brief, version = seen.brief, seen.record.prompt_version
    if brief is None or version not in LEFT_OUT or seen.choice.provider == BASELINE:
        return
    question = build_request(brief, version).model_copy(update={"choice": seen.choice})
    if not seen.asked_the_same(question):
        return
    for reply in seen.replies:
        await replies.put(reply_key(question), reply)
        try:
            read(reply, question)
        except BadReply as bad:
            question = repair_of(question, bad)
