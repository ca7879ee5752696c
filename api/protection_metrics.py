"""Whether positions are protected, and how quickly, for Prometheus."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from oxbot.app.alarm import ProtectionStatus
from oxbot.records import ProtectionTimes


class ProtectionScrape(Collector):
    """One look at the protection as metrics."""

    def __init__(self, status: ProtectionStatus, times: ProtectionTimes) -> None:
        self._status = status
        self._times = times

    def collect(self) -> Iterator[Metric]:
        """Give the metrics."""
        status = self._status
        yield GaugeMetricFamily(
            "oxbot_open_positions", "Positions that are open.", value=status.positions
        )
        yield GaugeMetricFamily(
            "oxbot_unprotected_positions",
            "Open positions that nobody has watched for 10 s or longer.",
            value=sum(map(len, status.unprotected.values())),
        )
        if status.beat_ms is not None:
            yield GaugeMetricFamily(
                "oxbot_watch_beat_age_seconds",
                "Time since the market watch was last at work.",
                value=max(0, status.wall_ms - status.beat_ms) / 1000,
            )
        yield _times(self._times)


def _times(times: ProtectionTimes) -> Metric:
    buckets = [(str(limit / 1000), count) for limit, count in sorted(times.within.items())]
    return HistogramMetricFamily(
        "oxbot_time_to_protect_seconds",
        "From a price at the watch to the settled exit, over all exits on record.",
        buckets=[*buckets, ("+Inf", times.count)],
        sum_value=times.total_ms / 1000,
    )
