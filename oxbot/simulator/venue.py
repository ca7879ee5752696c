"""The venue: a market, its clock, what is listed, and what goes wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from oxbot.simulator.clock import VenueClock
from oxbot.simulator.faults import Faults
from oxbot.simulator.instruments import INSTRUMENTS, SPOT, SWAP, SWAPS, TRADED, Instrument
from oxbot.simulator.market import Market
from oxbot.simulator.private.journal import Journal
from oxbot.simulator.rate_limits import RateLimits


@dataclass(frozen=True, slots=True)
class Venue:
    """What a server serves.

    Attributes:
        market: The prices, as a function of time.
        clock: The time.
        faults: What goes wrong.
        made_up: Spot pairs without candles, by instId.
        limits: How often it may be asked; None for no limit.
        journal: What happened to its accounts.
    """

    market: Market
    clock: VenueClock
    faults: Faults = field(default_factory=Faults)
    made_up: Mapping[str, Instrument] = field(default_factory=dict)
    limits: RateLimits | None = None
    journal: Journal = field(default_factory=Journal)

    @property
    def instruments(self) -> list[Instrument]:
        """The spot pairs that have candles, in the market's order."""
        return [INSTRUMENTS[symbol] for symbol in self.market.source.symbols]

    @property
    def swaps(self) -> list[Instrument]:
        """The swaps of the same coins."""
        return [SWAPS[f"{symbol}-SWAP"] for symbol in self.market.source.symbols]

    def listed(self, kind: str) -> list[Instrument]:
        """Everything of a kind (SPOT, SWAP); other kinds have nothing."""
        if kind == SWAP:
            return self.swaps
        return [*self.instruments, *self.made_up.values()] if kind == SPOT else []

    def find(self, inst_id: str) -> Instrument | None:
        """What is listed under an instId, if anything is."""
        return self.traded(inst_id) or self.made_up.get(inst_id)

    def traded(self, inst_id: str) -> Instrument | None:
        """The spot pair or swap with candles and a book of an instId, if there is one."""
        listed = TRADED.get(inst_id)
        return listed if listed and listed.pair in self.market.source.symbols else None

    def keep(self) -> None:
        """Save time, faults and log; called when it is served, and before the process ends."""
        self.clock.keep()
        self.faults.keep()
        self.journal.keep()
