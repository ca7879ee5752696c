"""The third step: the rules."""

from temporalio import activity

from oxbot.app import validate
from oxbot.app.ports import Ports
from oxbot.messages import RiskReport, ValidateRisk


class RiskActivities:
    """The third step: the rules."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    @activity.defn
    async def validate_risk(self, request: ValidateRisk) -> RiskReport:
        """Demand exits, judge proposals, intend orders."""
        return await validate.validate_risk(self._ports, request)
