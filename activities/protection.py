"""Beside the cycles: what closes a position as soon as its price is there."""

from temporalio import activity

from oxbot.app import protect
from oxbot.app.ports import Ports
from oxbot.messages import ProtectPosition, ProtectReport


class ProtectionActivities:
    """Beside the cycles: what closes a position as soon as its price is there."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    @activity.defn(name="protect")
    async def protect(self, request: ProtectPosition) -> ProtectReport:
        """Close a position, whatever stood in the way before."""
        return await protect.protect(self._ports, request)
