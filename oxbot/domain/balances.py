"""What an account at an exchange has, as the exchange says."""

from decimal import Decimal

from oxbot.domain.errors import InputError
from oxbot.domain.money import Notional, plain
from oxbot.domain.values import Value


class Balance(Value):
    """What an account has of one currency: free, and set aside for orders; in that currency."""

    free: Decimal
    frozen: Decimal

    @property
    def total(self) -> Decimal:
        """All of it."""
        return self.free + self.frozen


def must_be_free(free: Decimal, claimed: Notional, capital: Notional) -> None:
    """Refuse capital that an account does not have beside what is others' already.

    Args:
        free: USDT that the account has free.
        claimed: USDT of it that live bots have on record.
        capital: USDT that one more is to trade with.

    Raises:
        InputError: It is too little; says what is missing.
    """
    missing = claimed.number + capital.number - free
    if missing > 0:
        raise InputError(
            f"No bot was made: the account has {plain(free)} USDT free, other live bots have "
            f"{plain(claimed)} of it, and this one wants {plain(capital)}; {plain(missing)} are "
            "missing. Give it less capital, or pay in."
        )
