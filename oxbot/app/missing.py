"""What trading needs and does not have just now: sentences that say what that means."""

from collections.abc import Iterator
from typing import Final

from oxbot.app.market_status import MarketStatus, feed_told
from oxbot.app.system_status import ServerStatus, SystemStatus, WorkersStatus
from oxbot.domain.feed import FeedSource

AT_REST: Final = "Of stops only those that rest at an exchange act meanwhile."


def missing(system: SystemStatus, market: MarketStatus | None) -> tuple[str, ...]:
    """Say what is away; nothing where all is there that trading needs.

    `market` is None where nobody could look it up, which the servers explain.
    """
    return tuple(_missing(system, market))


def _missing(system: SystemStatus, market: MarketStatus | None) -> Iterator[str]:
    away = [server for server in system.servers if server.needed and not server.answers]
    yield from map(_server_told, away)
    if not away:
        yield from _without_worker(system.workers)
    if market is not None and not away and _lacks_prices(market):
        yield f"{feed_told(market)} No bot enters, and no stop or target is seen. {AT_REST}"


def _server_told(server: ServerStatus) -> str:
    return (
        f"{server.trouble} Bots stand still until {server.name} is back, and go on from there by "
        f"themselves. {AT_REST}"
    )


def _without_worker(found: WorkersStatus) -> Iterator[str]:
    if found.trouble:
        yield found.trouble
    elif not any(worker.polls_now for worker in found.workers):
        yield (
            f"No worker polls the task queue {found.task_queue}: bots stand still, and nobody "
            f"watches their positions. {AT_REST} Start one with `oxbot up`, or `python -m worker`."
        )


def _lacks_prices(market: MarketStatus) -> bool:
    """Whether nobody reports prices that bots need; a stepped venue has them when it steps."""
    feed = market.feed
    if feed is None:
        return True
    stepped = feed.clock is not None and feed.clock.stepped
    return feed.source is FeedSource.NONE and bool(feed.symbols) and not stepped
