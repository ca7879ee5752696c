"""The second step: a model's decision."""

from temporalio import activity

from oxbot.app import decide
from oxbot.app.ask_model import Patience
from oxbot.app.ports import Ports
from oxbot.messages import Decide, DecisionBrief


class DecisionActivities:
    """The second step: a model's decision."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    @activity.defn
    async def decide(self, request: Decide) -> DecisionBrief:
        """Have the model decide, once per cycle."""
        attempt = activity.info().start_to_close_timeout
        patience = Patience.within(attempt, activity.heartbeat)
        return await decide.decide(self._ports, request, patience)
