"""Venue, servers, workers and models as tables of at most 80 columns."""

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import Final

from rich.console import Console

from oxbot.app.live import LiveStatus
from oxbot.app.market_status import MarketStatus, circuits_told, feed_told
from oxbot.app.system_status import ModelStatus, ServerStatus, SystemStatus, WorkersStatus
from oxbot.app.telling import NOTHING, price, span, when
from oxbot.cli.output import table
from oxbot.domain.circuit import Phase
from oxbot.domain.market import base_of

REDIS_AWAY: Final = (
    "Without Redis workers ask for prices themselves, and nobody can say here how old those are."
)


def write(
    console: Console, system: SystemStatus, market: MarketStatus | None, zone: tzinfo
) -> None:
    """Write what was seen; times are ours, those of prices the venue's."""
    for line in _venue(market, zone):
        console.print(line)
    if market and market.prices:
        console.print("", table("", ("coin", "bid>", "age>", "by"), _prices(market)))
    columns = ("server", "answers", "round trip>", "version")
    console.print("", table("", columns, map(_server, system.servers)))
    for server in system.servers:
        if not server.answers:
            console.print(server.trouble)
            console.print(REDIS_AWAY if server.name == "Redis" else "Trading needs it.")
    console.print("")
    for line in _workers(system.workers, system.wall_ms):
        console.print(line)
    models = ("provider", "model", "can be asked", "price", "last answer", "last failure")
    console.print("", table("", models, (_model(one, zone) for one in system.models)))
    for line in _failures(system.models):
        console.print(line)


def write_end(console: Console, live: LiveStatus | None, lacks: Sequence[str]) -> None:
    """Write what live bots lack, and what trading does."""
    console.print("")
    if live and live.bots:
        console.print(live.trouble or f"Live bots: {', '.join(live.bots)}.")
    for told in lacks:
        console.print(f"MISSING: {told}")
    if not lacks:
        console.print("Everything that trading needs is there.")


def _venue(market: MarketStatus | None, zone: tzinfo) -> Iterator[str]:
    if market is None:
        yield "Nobody can say how prices come: see the servers below."
        return
    stepped = market.feed and market.feed.clock and market.feed.clock.stepped
    how = " (it stands still between steps)" if stepped else ""
    yield f"{market.venue}, its time {when(market.venue_ms, zone)}{how}"
    yield feed_told(market)
    yield from circuits_told(market)


def _prices(market: MarketStatus) -> Iterator[tuple[str, ...]]:
    for symbol, quote in sorted(market.prices.items()):
        yield base_of(symbol), price(quote.bid), span(quote.venue_age_ms), quote.source


def _server(server: ServerStatus) -> tuple[str, ...]:
    took = NOTHING if server.round_trip_ms is None else f"{server.round_trip_ms:.1f} ms"
    return (server.name, "yes" if server.answers else "NO", took, server.version or NOTHING)


def _workers(found: WorkersStatus, now_ms: int) -> Iterator[str]:
    if found.trouble:
        yield f"Workers of the task queue {found.task_queue}: not known. {found.trouble}"
    elif not found.workers:
        yield f"No worker has polled the task queue {found.task_queue} lately."
    for worker in found.workers:
        polls = "polls" if worker.polls_now else "polled"
        ago = span(now_ms - worker.seen_ms)
        yield (
            f"Worker {worker.identity} {polls} {found.task_queue} for "
            f"{' and '.join(worker.polls)}, last {ago} ago."
        )


def _model(model: ModelStatus, zone: tzinfo) -> tuple[str, ...]:
    can = "yes" if model.usable else "no"
    return (
        model.provider,
        model.model or NOTHING,
        can if model.circuit is Phase.CLOSED else f"not now ({model.circuit})",
        "known" if model.priced else "UNKNOWN",
        when(model.success_ms, zone),
        when(model.failure_ms, zone),
    )


def _failures(models: Sequence[ModelStatus]) -> Iterator[str]:
    for model in models:
        if not model.usable:
            yield f"{model.provider}: {model.set_up_by}."
        elif model.failure:
            yield f"{model.provider} failed last with: {model.failure}"
