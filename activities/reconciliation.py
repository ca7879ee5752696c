"""Before a live cycle: the record held against the account."""

from temporalio import activity

from oxbot.app import reconciliation
from oxbot.app.ports import Ports
from oxbot.messages import Reconcile, Reconciliation


class ReconciliationActivities:
    """Before a live cycle: the record held against the account."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    @activity.defn
    async def reconcile(self, request: Reconcile) -> Reconciliation:
        """Look up, book, prove and compare."""
        return await reconciliation.reconcile_bot(self._ports, request)
