"""Guards of open positions."""

from decimal import Decimal

from oxbot.adapters.postgres.rows import Records
from oxbot.domain.guards import Guard


class Guards(Records):
    """Stands in until the market watch has them."""

    async def guards(self, venue: str) -> list[Guard]:  # noqa: ARG002
        """Give none."""
        return []

    async def raise_best(self, venue: str, symbol: str, bid: Decimal, at_ms: int) -> None:
        """Do nothing."""
