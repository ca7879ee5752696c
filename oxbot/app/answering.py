"""Have one model decide: its reply is read strictly, and asked for once more where it is bad."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final

from oxbot.domain.decision import parse_decision
from oxbot.domain.errors import (
    BadReply,
    CircuitOpen,
    ContentRefused,
    ModelRefused,
    ModelUnavailable,
    NotFound,
    OxbotError,
)
from oxbot.domain.models import ModelChoice
from oxbot.records import ModelReply, ModelRequest

CUT: Final = "length"
"""Both protocols' word for an answer that ended at the limit of tokens."""

NO_ANSWER: Final = (ModelUnavailable, ModelRefused, ContentRefused, CircuitOpen, NotFound)

Ask = Callable[[ModelRequest], Awaitable[ModelReply]]
"""Has a model answer; raises as `ChatModel.complete` does."""


@dataclass(frozen=True)
class Answer:
    """What came of asking: `decision` as JSON, or why there is none.

    `reply` is the last one, with tokens and cost of all; its text is empty where nobody
    answered. `repaired`: the decision came of the second request, after `first_reply`. `choice`
    is who was asked, `passed_over` who should have been instead, and why it was not.
    """

    label: str
    choice: ModelChoice
    reply: ModelReply
    decision: str | None = None
    failed: str | None = None
    repaired: bool = False
    first_reply: str | None = None
    first_finish: str | None = None
    passed_over: str | None = None


async def answered(label: str, question: ModelRequest, ask: Ask) -> Answer:
    """Have a model decide, and ask once more with the errors where its reply is no decision.

    Raises:
        Whatever `ask` raises of the first request.
    """
    choice, reply = question.choice, await ask(question)
    try:
        return Answer(label, choice, reply, decision=read(reply, question))
    except BadReply as error:
        bad = error
    first, ended = reply.text, reply.finish_reason
    try:
        second = await ask(repair_of(question, bad))
    except NO_ANSWER as error:
        asked = _summed(reply, held_back(reply, error))
        kept = asked.model_copy(update={"text": reply.text, "finish_reason": reply.finish_reason})
        return Answer(label, choice, kept, failed=f"{bad} Asked again: {error}")
    both = _summed(reply, second)
    try:
        decision = read(second, question)
    except BadReply as error:
        told = f"{error} That was after a repair request."
        held = Answer(label, choice, both, failed=told)
        return replace(held, first_reply=first, first_finish=ended)
    repaired = Answer(label, choice, both, decision=decision, repaired=True)
    return replace(repaired, first_reply=first, first_finish=ended)


def held_back(like: ModelReply, error: OxbotError) -> ModelReply:
    """Give a reply without a text, of the same model, with what an error says that it cost."""
    nothing = ModelReply(
        text="", provider=like.provider, model=like.model, request_id=like.request_id
    )
    if not isinstance(error, ContentRefused):
        return nothing
    tokens_in, tokens_out = error.tokens
    return nothing.model_copy(
        update={
            "tokens_in": tokens_in,
            "tokens_out": tokens_out,
            "cost_usd": error.cost_usd,
            "priced": error.priced,
        }
    )


def repair_of(question: ModelRequest, bad: BadReply) -> ModelRequest:
    """Ask again with what was wrong; the bad text itself would only be copied."""
    again = (
        f"Your last answer could not be used. {bad} Answer again: one JSON object of the form "
        "asked for, and nothing else."
    )
    return question.model_copy(update={"messages": (*question.messages, ("user", again))})


def read(reply: ModelReply, question: ModelRequest) -> str:
    """Give the decision in a reply as JSON.

    Raises:
        BadReply: There is none; says why.
    """
    if reply.finish_reason == CUT:
        raise BadReply("The reply was cut off at the model's limit of tokens; it must be shorter.")
    return parse_decision(reply.text, question.brief.symbols).model_dump_json()


def _summed(first: ModelReply, second: ModelReply) -> ModelReply:
    """Give the second reply with what both cost."""
    return second.model_copy(
        update={
            "tokens_in": first.tokens_in + second.tokens_in,
            "tokens_out": first.tokens_out + second.tokens_out,
            "tokens_cached": first.tokens_cached + second.tokens_cached,
            "cost_usd": first.cost_usd + second.cost_usd,
            "priced": first.priced and second.priced,
        }
    )
