"""Have a bot's models decide: in order, each behind its breaker, with one repair request."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from oxbot.app.answering import Answer, answered, held_back
from oxbot.app.breaker import guarded
from oxbot.app.ports import Ports
from oxbot.domain.circuit import MODEL
from oxbot.domain.errors import (
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
            answer = await _decided(ports, asked, _now_s() + share_s)
            return replace(answer, passed_over=_told(troubles) or None)
        except ContentRefused as error:
            held = _held(ports, choice, error)
            return replace(held, passed_over=_told(troubles) or None)
        except (ModelRefused, ModelUnavailable, CircuitOpen) as error:
            troubles.append(error)
    if all(isinstance(trouble, ModelRefused) for trouble in troubles):
        return _held(ports, choices[-1], ModelRefused(_told(troubles), RefusalCause.REQUEST))
    raise _nobody(troubles)


async def _decided(ports: Ports, question: ModelRequest, until_s: float) -> Answer:
    """Have one model decide before a moment on the event loop's clock."""
    model = _model(ports, question.choice)
    named = question.model_copy(update={"choice": model.named(question.choice)})

    async def ask(asked: ModelRequest) -> ModelReply:
        return await _reply(ports, model, asked, until_s)

    return await answered(model.label(question.choice), named, ask)


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


def _held(ports: Ports, choice: ModelChoice, why: OxbotError) -> Answer:
    known = ports.models.get(choice.provider)
    label = known.label(choice) if known else choice.label
    named = known.named(choice) if known else choice
    nothing = held_back(ModelReply.nothing_of(named), why)
    return Answer(label, named, nothing, failed=str(why))


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
