"""The third step: the rules."""

from temporalio import activity

from oxbot.app import validate
from oxbot.app.ports import Ports
from oxbot.messages import RiskReport, ValidateRisk

PATIENT_ATTEMPTS = 4
"""So many attempts insist on prices of now; the next one judges by what is known."""


class RiskActivities:
    """The third step: the rules."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    @activity.defn
    async def validate_risk(self, request: ValidateRisk) -> RiskReport:
        """Demand exits, judge proposals, intend orders."""
        patient = activity.info().attempt <= PATIENT_ATTEMPTS or await self._has_time()
        return await validate.validate_risk(self._ports, request, patient=patient)

    async def _has_time(self) -> bool:
        """Whether the venue waits: how often a question failed must not decide what is judged."""
        return (await self._ports.clock.reading()).stepped
