"""What an account at an exchange has, as the exchange says."""

from decimal import Decimal

from oxbot.domain.values import Value


class Balance(Value):
    """What an account has of one currency: free, and set aside for orders; in that currency."""

    free: Decimal
    frozen: Decimal

    @property
    def total(self) -> Decimal:
        """All of it."""
        return self.free + self.frozen
