"""What a run needs, and the record of control."""

from temporalio import activity

from oxbot.app import limits, runs
from oxbot.app.ports import Ports
from oxbot.domain.bot import RiskLimits
from oxbot.messages import OpenRun, RunGrant, WriteControl, WriteLimits


class ControlActivities:
    """What a run needs, and the record of control."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    @activity.defn
    async def open_run(self, request: OpenRun) -> RunGrant:
        """Reserve cycle numbers and fetch what the run needs."""
        return await runs.open_run(self._ports, request)

    @activity.defn
    async def write_control(self, request: WriteControl) -> None:
        """Put status and epoch on record."""
        await runs.write_control(self._ports, request)

    @activity.defn
    async def change_limits(self, request: WriteLimits) -> RiskLimits:
        """Put changed limits on record."""
        return await limits.change_limits(self._ports, request)
