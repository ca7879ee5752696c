"""The venue: a market and its clock."""

from dataclasses import dataclass

from oxbot.simulator.clock import VenueClock
from oxbot.simulator.instruments import INSTRUMENTS, Instrument
from oxbot.simulator.market import Market


@dataclass(frozen=True, slots=True)
class Venue:
    """What a server serves.

    Attributes:
        market: The prices, as a function of time.
        clock: The time.
    """

    market: Market
    clock: VenueClock

    @property
    def instruments(self) -> list[Instrument]:
        """What is listed, in the market's order."""
        return [INSTRUMENTS[symbol] for symbol in self.market.source.symbols]
