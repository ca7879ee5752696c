"""Before a live cycle, and when a person asks: the record held against the account."""

from temporalio import activity

from oxbot.app import reconciliation, say_over, write_off
from oxbot.app.beating import beating
from oxbot.app.ports import Ports
from oxbot.messages import Reconcile, Reconciliation, SayOver, WriteOffMissing


class ReconciliationActivities:
    """Before a live cycle, and when a person asks: the record held against the account."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    @activity.defn
    async def reconcile(self, request: Reconcile) -> Reconciliation:
        """Look up, book, prove and compare."""
        async with beating(activity.heartbeat):
            return await reconciliation.reconcile_bot(self._ports, request)

    @activity.defn
    async def write_off(self, request: WriteOffMissing) -> Reconciliation:
        """Take what is gone from the account off the books, and prove what is left."""
        async with beating(activity.heartbeat):
            return await write_off.write_off(self._ports, request)

    @activity.defn
    async def say_over(self, request: SayOver) -> Reconciliation:
        """End what a person says to be over, and prove what is left."""
        async with beating(activity.heartbeat):
            return await say_over.say_over(self._ports, request)
