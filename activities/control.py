"""What a run needs, and the record of control."""

from temporalio import activity

from oxbot.app import runs
from oxbot.app.ports import Ports
from oxbot.messages import OpenRun, RunGrant, WriteControl


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
