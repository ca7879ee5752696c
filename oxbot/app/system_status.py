"""The system itself: do its servers answer, does a worker poll, can the models be asked.

Each is asked by itself and for so long at most, so that a dead one holds nothing up. No model is
asked: what is known of it is on record, and at its circuit breaker.
"""

import asyncio
import time
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from oxbot.domain.circuit import MODEL, Circuit, Phase
from oxbot.domain.errors import OxbotError, Unavailable
from oxbot.domain.values import Value
from oxbot.ports import Breaker
from oxbot.ports.probing import Answers, Server, TaskQueue
from oxbot.records.answers import LastAnswers, Poller

T = TypeVar("T")

PATIENCE_S: Final = 3.0
"""Seconds that each has to answer."""

POLLS_WITHIN_MS: Final = 70_000
"""A worker polls for a minute at a time, and then again."""

NOT_NEEDED: Final = frozenset({"Redis"})
"""Servers without which trading goes on: prices are then asked for by each worker."""


class ServerStatus(Value):
    """A server: whether it answers, and in how many ms; `trouble` says why it does not."""

    name: str
    answers: bool
    needed: bool
    round_trip_ms: float | None = None
    version: str | None = None
    trouble: str = ""


class Worker(Poller):
    """A worker as Temporal has seen it; `polls_now` says whether that was lately enough."""

    polls_now: bool


class WorkersStatus(Value):
    """The workers of a task queue; `trouble` says why nobody can tell."""

    task_queue: str
    workers: tuple[Worker, ...] = ()
    trouble: str = ""


class ModelSetup(Value):
    """A provider as the settings have it: its default model, and whether that can be asked.

    `has_key` is None where none is needed. `set_up_by` says what to do where it cannot be asked.
    `priced`: whether it is known what the model costs.
    """

    provider: str
    model: str
    usable: bool
    has_key: bool | None
    priced: bool
    set_up_by: str = ""


class ModelStatus(ModelSetup):
    """A provider with its last answers, wall ms; `failure` is what went wrong last.

    `circuit` is its breaker's: open, nobody asks it.
    """

    circuit: Phase = Phase.CLOSED
    success_ms: int | None = None
    failure_ms: int | None = None
    failure: str = ""


class SystemStatus(Value):
    """The system as it is at `wall_ms`: its servers, its workers, the models."""

    wall_ms: int
    servers: tuple[ServerStatus, ...]
    workers: WorkersStatus
    models: tuple[ModelStatus, ...]


@dataclass(frozen=True)
class Probes:
    """What is looked at: servers by name, the task queue, the models as they are set up."""

    servers: Mapping[str, Server]
    task_queue: str
    queue: TaskQueue
    models: Sequence[ModelSetup]
    answers: Answers
    breaker: Breaker


async def system_status(probes: Probes) -> SystemStatus:
    """Look at everything at the same time; what does not answer is told, and never raised."""
    servers, workers, models = await asyncio.gather(
        asyncio.gather(*(_server(name, of) for name, of in probes.servers.items())),
        _workers(probes),
        _models(probes),
    )
    return SystemStatus(
        wall_ms=_now_ms(), servers=tuple(servers), workers=workers, models=tuple(models)
    )


async def _server(name: str, server: Server) -> ServerStatus:
    """Ask twice, and time the second: the first may have had to connect."""
    needed = name not in NOT_NEEDED
    try:
        version, took_ms = await _within(_timed(server), name)
    except OxbotError as error:
        return ServerStatus(name=name, answers=False, needed=needed, trouble=str(error))
    return ServerStatus(
        name=name, answers=True, needed=needed, version=version, round_trip_ms=took_ms
    )


async def _timed(server: Server) -> tuple[str, float]:
    await server.version()
    began_ns = time.perf_counter_ns()
    version = await server.version()
    return version, round((time.perf_counter_ns() - began_ns) / 1e6, 1)


async def _workers(probes: Probes) -> WorkersStatus:
    try:
        pollers = await _within(probes.queue.pollers(), "Temporal")
    except OxbotError as error:
        return WorkersStatus(task_queue=probes.task_queue, trouble=str(error))
    since_ms = _now_ms() - POLLS_WITHIN_MS
    workers = (Worker(**dict(one), polls_now=one.seen_ms >= since_ms) for one in pollers)
    return WorkersStatus(task_queue=probes.task_queue, workers=tuple(workers))


async def _models(probes: Probes) -> list[ModelStatus]:
    providers = [setup.provider for setup in probes.models]
    answers, circuits = await asyncio.gather(
        _or(probes.answers.last_answers(providers), {}), _or(probes.breaker.states(), [])
    )
    by_target = {circuit.target: circuit for circuit in circuits}
    return [
        _model(
            setup,
            answers.get(setup.provider, LastAnswers()),
            by_target.get(f"{MODEL}{setup.provider}"),
        )
        for setup in probes.models
    ]


def _model(setup: ModelSetup, last: LastAnswers, circuit: Circuit | None) -> ModelStatus:
    """Join what is known; the breaker knows of outages, of which nothing is on record."""
    known = ModelStatus(**dict(setup), **dict(last))
    if circuit is None or not circuit.failures:
        return known
    told: dict[str, object] = {"circuit": circuit.phase, "failure": circuit.reason}
    if circuit.opened_ms is not None:
        told["failure_ms"] = circuit.opened_ms
    return known.model_copy(update=told)


async def _or(asked: Awaitable[T], otherwise: T) -> T:
    """Give what is known; nothing where that cannot be looked up, which the servers tell."""
    try:
        return await _within(asked, "It")
    except OxbotError:
        return otherwise


async def _within(asked: Awaitable[T], who: str) -> T:
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await asked
    except TimeoutError as error:
        raise Unavailable(f"{who} gives no answer within {PATIENCE_S:g} s.") from error


def _now_ms() -> int:
    return time.time_ns() // 10**6
