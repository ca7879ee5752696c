"""`/metrics` for Prometheus, computed at each scrape from Redis and the record."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Final, cast

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from api.decision_metrics import DecisionScrape
from api.lookout import Shared
from api.problems import PROBLEM
from api.protection_metrics import ProtectionScrape
from oxbot.app.alarm import Alarm
from oxbot.app.bots import Desk
from oxbot.app.budget import day_began_ms
from oxbot.app.market_status import AgedQuote, MarketStatus, market_status
from oxbot.domain.circuit import Circuit, Phase
from oxbot.domain.feed import FeedSource, FeedStatus

router = APIRouter(tags=["market"], responses={503: PROBLEM})


class Metrics(Response):
    """Text as Prometheus reads it."""

    media_type = CONTENT_TYPE_LATEST


LEVEL: Final = {Phase.CLOSED: 0, Phase.HALF_OPEN: 1, Phase.OPEN: 2}


def _scraped(request: Request) -> Shared[bytes]:
    return cast("Shared[bytes]", request.app.state.scraped)


@router.get("/metrics", response_class=Metrics)
async def metrics(shared: Annotated[Shared[bytes], Depends(_scraped)]) -> Response:
    """Give prices' ages and sources, breakers, protection and decisions in Prometheus' format."""
    return Metrics(await shared.get())


async def scrape(desk: Desk, alarm: Alarm) -> bytes:
    """Look at all that is measured."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Scrape(await market_status(desk)))
    times = await desk.store.protection_times(desk.venue)
    registry.register(ProtectionScrape(await alarm.status(), times))
    registry.register(DecisionScrape(await desk.store.decision_counts(day_began_ms())))
    return generate_latest(registry)


class _Scrape(Collector):
    """One look at the market as metrics."""

    def __init__(self, market: MarketStatus) -> None:
        self._market = market

    def collect(self) -> Iterator[Metric]:
        yield _ages(self._market.prices.values())
        yield from _feed(self._market.feed)
        yield _breakers(self._market.breakers)


def _ages(prices: Iterable[AgedQuote]) -> Metric:
    told = "Age of the newest price by the exchange's own time stamp, in seconds of venue time."
    family = GaugeMetricFamily("oxbot_price_age_seconds", told, labels=("symbol", "source"))
    for price in prices:
        if price.venue_age_ms is not None:
            family.add_metric((price.symbol, price.source), price.venue_age_ms / 1000)
    return family


def _feed(feed: FeedStatus | None) -> Iterator[Metric]:
    source = GaugeMetricFamily(
        "oxbot_feed_source", "1 for where prices come from just now, else 0.", labels=("source",)
    )
    now = feed.source if feed else FeedSource.NONE
    for each in FeedSource:
        source.add_metric((each.value,), int(each is now))
    yield source
    yield CounterMetricFamily(
        "oxbot_feed_gaps",
        "Stretches in which the price stream was silent or lost.",
        value=feed.gaps if feed else 0,
    )
    yield CounterMetricFamily(
        "oxbot_prices_too_old",
        "Prices that came too old to set a stop off.",
        value=feed.too_old if feed else 0,
    )
    yield CounterMetricFamily(
        "oxbot_feed_reconnects",
        "Connections of the price stream made after a loss.",
        value=feed.reconnects if feed else 0,
    )


def _breakers(circuits: Iterable[Circuit]) -> Metric:
    family = GaugeMetricFamily(
        "oxbot_breaker_state",
        "Circuit breaker: 0 closed, 1 half-open, 2 open.",
        labels=("target",),
    )
    for circuit in circuits:
        family.add_metric((circuit.target,), LEVEL[circuit.phase])
    return family
