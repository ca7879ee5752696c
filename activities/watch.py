"""The market watch: runs beside all cycles, feeds the price board, and has positions closed."""

from temporalio import activity

from oxbot.app import examine, watch
from oxbot.app.ports import Ports
from oxbot.domain.feed import FeedStatus
from oxbot.messages import Examine, ExamineReport, WatchPrices


class WatchActivities:
    """The market watch: runs beside all cycles, feeds the price board, and has positions closed."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    @activity.defn
    async def watch_prices(self, request: WatchPrices) -> FeedStatus:
        """Keep the price board fresh and judge guards; ends well when this worker has to."""
        return await watch.watch_prices(
            self._ports, request, activity.heartbeat, activity.wait_for_worker_shutdown
        )

    @activity.defn(name="examine")
    async def examine(self, request: Examine) -> ExamineReport:
        """Close what has to be closed at this moment of a stepped venue; repeatable."""
        return await examine.examine(self._ports, request, activity.heartbeat)
