"""What came of asking models, for Prometheus."""

from collections.abc import Iterator
from typing import Final

from prometheus_client.core import CounterMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from oxbot.domain.decision import DecisionCounts

OUTCOMES: Final = ("decided", "repaired", "failed", "gated", "unasked")


class DecisionScrape(Collector):
    """One look at the decisions of this UTC day as metrics."""

    def __init__(self, counts: DecisionCounts) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        """Give the metrics."""
        decisions = CounterMetricFamily(
            "oxbot_decisions",
            "Decisions since 00:00 UTC: decided, repaired, failed; gated and unasked asked nobody.",
            labels=("outcome",),
        )
        for outcome in OUTCOMES:
            decisions.add_metric((outcome,), getattr(self._counts, outcome))
        yield decisions
        yield CounterMetricFamily(
            "oxbot_model_cost_usd",
            "What models cost since 00:00 UTC, as far as prices are known.",
            value=float(self._counts.cost_usd),
        )
