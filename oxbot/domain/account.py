"""What bots of one account share: the money that the account-wide limit is measured against."""

from collections.abc import Iterator

from pydantic import Field

from oxbot.domain.market import Quote, Symbol
from oxbot.domain.money import NonNegativeNotional, Notional, Quantity
from oxbot.domain.values import Value


class Holding(Value):
    """What other bots hold of one coin, or owe (negative): coins, and what they cost in USDT."""

    quantity: Quantity
    cost: Notional


class Account(Value):
    """What the other bots of the account own, all but the one that is judged.

    On paper these are the owner's on the venue; live all on the venue, which is one account.

    `cash` and `reserved` in USDT; `reserved` is what their entries under way may cost. What they
    hold of a coin and what they owe of it are kept apart: they risk both.
    """

    cash: Notional = Notional(0)
    reserved: NonNegativeNotional = Notional(0)
    holdings: dict[Symbol, Holding] = Field(default_factory=dict)
    owed: dict[Symbol, Holding] = Field(default_factory=dict)

    @property
    def symbols(self) -> frozenset[str]:
        """The coins that they hold or owe."""
        return frozenset(self.holdings | self.owed)

    def exposure(self, quotes: dict[str, Quote]) -> Notional:
        """Worth of what they hold and of what they owe, plus what they have reserved, in USDT."""
        return sum((abs(worth) for worth in self._worth(quotes)), self.reserved)

    def equity(self, quotes: dict[str, Quote]) -> Notional:
        """Their cash plus what they hold at bid, less what they owe at ask, in USDT.

        At cost where no price is known.
        """
        return sum(self._worth(quotes), self.cash)

    def _worth(self, quotes: dict[str, Quote]) -> Iterator[Notional]:
        for symbol, holding in (*self.holdings.items(), *self.owed.items()):
            known = quotes.get(symbol)
            yield holding.cost if known is None else known.worth(holding.quantity)
