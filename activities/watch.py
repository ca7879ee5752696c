"""The price watch: runs beside all cycles, and feeds the price board that they read."""

from temporalio import activity

from oxbot.app import watch
from oxbot.app.ports import Ports
from oxbot.domain.feed import FeedStatus
from oxbot.messages import WatchPrices


class WatchActivities:
    """The price watch: runs beside all cycles, and feeds the price board that they read."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    @activity.defn
    async def watch_prices(self, request: WatchPrices) -> FeedStatus:
        """Keep the price board fresh; ends well when this worker has to, so another goes on."""
        return await watch.watch_prices(
            self._ports, request, activity.heartbeat, activity.wait_for_worker_shutdown
        )
