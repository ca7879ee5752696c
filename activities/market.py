"""The first step of a cycle: what the market shows."""

from temporalio import activity

from oxbot.app import observe
from oxbot.app.ports import Ports
from oxbot.domain.market import ClockReading
from oxbot.messages import Observation, ObserveMarket


class MarketActivities:
    """The first step of a cycle: what the market shows."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    @activity.defn
    async def observe_market(self, request: ObserveMarket) -> Observation:
        """Make or find the snapshot and read the prices."""
        return await observe.observe_market(self._ports, request)

    @activity.defn
    async def read_clock(self) -> ClockReading:
        """Read the venue's clock."""
        return await self._ports.clock.reading()
