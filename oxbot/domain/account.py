"""What bots of one owner share: the money that the account-wide limit is measured against."""

from pydantic import Field

from oxbot.domain.market import Quote, Symbol
from oxbot.domain.money import NonNegativeNotional, NonNegativeQuantity, Notional
from oxbot.domain.values import Value


class Holding(Value):
    """What other bots hold of one coin: coins, and what they cost in USDT."""

    quantity: NonNegativeQuantity
    cost: NonNegativeNotional


class Account(Value):
    """What the owner's other bots on the venue own, all but the one that is judged.

    `cash` and `reserved` in USDT; `reserved` is what their entries under way may cost.
    """

    cash: Notional = Notional(0)
    reserved: NonNegativeNotional = Notional(0)
    holdings: dict[Symbol, Holding] = Field(default_factory=dict)

    def exposure(self, quotes: dict[str, Quote]) -> Notional:
        """Value of what they hold at bid, plus what they have reserved, in USDT."""
        return self._held(quotes) + self.reserved

    def equity(self, quotes: dict[str, Quote]) -> Notional:
        """Their cash plus what they hold at bid, in USDT; at cost where no price is known."""
        return self.cash + self._held(quotes)

    def _held(self, quotes: dict[str, Quote]) -> Notional:
        values = (
            quotes[symbol].worth(holding.quantity) if symbol in quotes else holding.cost
            for symbol, holding in self.holdings.items()
        )
        return sum(values, Notional(0))
