"""The fourth step: one order."""

from temporalio import activity

from oxbot.app import execute
from oxbot.app.beating import beating
from oxbot.app.ports import Ports
from oxbot.messages import ExecuteOrder, OrderOutcome


class ExecutionActivities:
    """The fourth step: one order."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    @activity.defn
    async def execute_order(self, request: ExecuteOrder) -> OrderOutcome:
        """Claim, place and settle one intended order."""
        async with beating(activity.heartbeat):
            return await execute.execute_order(self._ports, request)
