"""Beside the cycles: what closes a position as soon as its price is there."""

from temporalio import activity

from oxbot.app import flatten, protected
from oxbot.app.beating import beating
from oxbot.app.ports import Ports
from oxbot.messages import CountHoldings, Holdings, ProtectPosition, ProtectReport


class ProtectionActivities:
    """Beside the cycles: what closes a position as soon as its price is there."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    @activity.defn
    async def protect(self, request: ProtectPosition) -> ProtectReport:
        """Close a position, whatever stood in the way before."""
        async with beating(activity.heartbeat):
            return await protected.close(self._ports, request)

    @activity.defn
    async def count_holdings(self, request: CountHoldings) -> Holdings:
        """Count what a bot holds and has under way."""
        return await flatten.count_holdings(self._ports.store, request.bot_id)
