"""Have a bot's models decide: in order, each behind its breaker, with one repair request."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

from oxbot.app.breaker import guarded
from oxbot.app.ports import Ports
from oxbot.domain.circuit import MODEL
from oxbot.domain.decision import parse_decision
from oxbot.domain.errors import (
    BadReply,
    CircuitOpen,
    ContentRefused,
    InputError,
    ModelRateLimited,
    ModelRefused,
    ModelUnavailable,
    OxbotError,
    RefusalCause,
)
from oxbot.domain.market import ClockReading
from oxbot.domain.models import ModelChoice
from oxbot.ports import ChatModel
from oxbot.records import ModelReply, ModelRequest

WAITING_SHARE: Final = 5 / 6
"""Of an attempt's time; the rest is for what comes before and after the model."""

LONGEST_S: Final = 25.0
"""Seconds for all models where nobody says how long the attempt may take."""

CUT: Final = "length"
"""Both protocols' word for an answer that ended at the limit of tokens."""

NO_ANSWER: Final = (ModelUnavailable, ModelRefused, ContentRefused, CircuitOpen)


def _nothing() -> None:
    """The heartbeat of who needs none."""


@dataclass(frozen=True)
class Patience:
    """How long all models together may take (s), and who is told meanwhile that it goes on."""

    limit_s: float = LONGEST_S
    heartbeat: Callable[[], None] = _nothing

    @classmethod
    def within(cls, attempt: timedelta | None, heartbeat: Callable[[], None]) -> "Patience":
        """Stay below the limit of an attempt, so that its end is ours to tell."""
        limit_s = attempt.total_seconds() * WAITING_SHARE if attempt else LONGEST_S
        return cls(limit_s, heartbeat)


@dataclass(frozen=True)
class Answer:
    """What came of asking: `decision` as JSON, or why there is none.

    `reply` is the last one, with tokens and cost of all; its text is empty where nobody
    answered. `repaired`: the decision came of the second request.
    """

    label: str
    reply: ModelReply
    decision: str | None = None
    failed: str | None = None
    repaired: bool = False


async def ask_models(
    ports: Ports, question: ModelRequest, choices: Sequence[ModelChoice], limit_s: float
) -> Answer:
    """Ask the first model that answers; where all refuse, that is an answer without decision.

    Raises:
        ModelUnavailable: None answered; the same may succeed later.
        ModelRateLimited: As before, and all that can be asked again ask to wait.
        CircuitOpen: None is asked now; final for this cycle.
    """
    until_s = _now_s() + limit_s
    troubles: list[OxbotError] = []
    for place, choice in enumerate(choices):
        share_s = (until_s - _now_s()) / (len(choices) - place)
        asked = question.model_copy(update={"choice": choice})
        try:
            return await _decided(ports, asked, _now_s() + share_s)
        except ContentRefused as error:
            return _held(ports, choice, str(error))
        except (ModelRefused, ModelUnavailable, CircuitOpen) as error:
            troubles.append(error)
    if all(isinstance(trouble, ModelRefused) for trouble in troubles):
        return _held(ports, choices[-1], _told(troubles))
    raise _nobody(troubles)


async def _decided(ports: Ports, question: ModelRequest, until_s: float) -> Answer:
    """Ask one model, and once more with the errors where its reply is no valid decision."""
    model = _model(ports, question.choice)
    label = model.label(question.choice)
    reply = await _reply(ports, model, question, until_s)
    try:
        return Answer(label, reply, decision=_read(reply, question))
    except BadReply as error:
        bad = error
    try:
        second = await _reply(ports, model, repair_of(question, bad), until_s)
    except NO_ANSWER as error:
        return Answer(label, reply, failed=f"{bad} Asked again: {error}")
    both = _summed(reply, second)
    try:
        return Answer(label, both, decision=_read(second, question), repaired=True)
    except BadReply as error:
        return Answer(label, both, failed=f"{error} That was after a repair request.")


def repair_of(question: ModelRequest, bad: BadReply) -> ModelRequest:
    """Ask again with what was wrong; the bad text itself would only be copied."""
    again = (
        f"Your last answer could not be used. {bad} Answer again: one JSON object of the form "
        "asked for, and nothing else."
    )
    return question.model_copy(update={"messages": (*question.messages, ("user", again))})


def _read(reply: ModelReply, question: ModelRequest) -> str:
    if reply.finish_reason == CUT:
        raise BadReply("The reply was cut off at the model's limit of tokens; it must be shorter.")
    return parse_decision(reply.text, question.brief.symbols).model_dump_json()


async def _reply(
    ports: Ports, model: ChatModel, question: ModelRequest, until_s: float
) -> ModelReply:
    """Ask once, if the breaker lets anybody; no answer in time counts as an outage."""
    provider, began_s = question.choice.provider, _now_s()
    async with guarded(ports, _clock(), target=f"{MODEL}{provider}"):
        try:
            async with asyncio.timeout_at(until_s) as limit:
                return await model.complete(question)
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise ModelUnavailable(
                f"{model.label(question.choice)} gave no answer within {until_s - began_s:.1f} s; "
                "it is asked again."
            ) from error


def _model(ports: Ports, choice: ModelChoice) -> ChatModel:
    """Give the model; one that is not set up here is like one that refuses the key."""
    try:
        return ports.model(choice.provider)
    except InputError as error:
        told = f"{error} Until then the bot holds and its protection goes on."
        raise ModelRefused(told, RefusalCause.KEY) from error


def _held(ports: Ports, choice: ModelChoice, why: str) -> Answer:
    known = ports.models.get(choice.provider)
    label = known.label(choice) if known else choice.label
    nothing = ModelReply(text="", provider=choice.provider, model=choice.model, request_id="")
    return Answer(label, nothing, failed=why)


def _summed(first: ModelReply, second: ModelReply) -> ModelReply:
    """Give the second reply with what both cost."""
    return second.model_copy(
        update={
            "tokens_in": first.tokens_in + second.tokens_in,
            "tokens_out": first.tokens_out + second.tokens_out,
            "tokens_cached": first.tokens_cached + second.tokens_cached,
            "cost_usd": first.cost_usd + second.cost_usd,
        }
    )


def _nobody(troubles: Sequence[OxbotError]) -> OxbotError:
    """Give the error of a question that no model answered."""
    told = _told(troubles)
    again = [error for error in troubles if error.retryable]
    waits = [error.retry_after_s for error in again if isinstance(error, ModelRateLimited)]
    if not again:
        return CircuitOpen(told)
    return (
        ModelRateLimited(told, min(waits)) if len(waits) == len(again) else ModelUnavailable(told)
    )


def _told(troubles: Sequence[OxbotError]) -> str:
    return " Then: ".join(str(error) for error in troubles)


def _clock() -> ClockReading:
    """Now; a provider's outage passes in wall time, whatever the venue's clock does."""
    now_ms = time.time_ns() // 1_000_000
    return ClockReading(venue_ms=now_ms, wall_ms=now_ms, rate=Decimal(1))


def _now_s() -> float:
    return asyncio.get_running_loop().time()
