"""The last step: how the cycle ended."""

from temporalio import activity

from oxbot.app import record
from oxbot.app.ports import Ports
from oxbot.messages import RecordCycles, Recorded


class RecordActivities:
    """The last step: how the cycle ended."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    @activity.defn
    async def record_cycles(self, request: RecordCycles) -> Recorded:
        """Close cycles on record."""
        return await record.record_cycles(self._ports, request)
