"""A venue that stands still and halts where a price crosses a guard, and a record of guards."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from oxbot.app.halts import BestBid, Halt, HaltKind, Reached
from oxbot.domain.errors import Unavailable, VenueUnavailable
from oxbot.domain.guard_index import Best
from oxbot.domain.guards import Guard
from oxbot.domain.money import Price
from oxbot.domain.portfolio import trail_price
from tests.support.fake_store import FakeStore

Bids = Mapping[int, Price]
"""Best bids in USDT, each by the venue time in ms from which on it holds."""


@dataclass
class Venue:
    """A venue whose candles end at `end_ms`; it is away for the next `away` questions.

    `loses` are venue times whose arrival it does not get to tell, once each.
    """

    end_ms: int = 10**9
    now_ms: int = 0
    away: int = 0
    bids: dict[str, Bids] = field(default_factory=dict)
    loses: set[int] = field(default_factory=set)
    halts: int = 0

    async def advance_to(
        self, to_ms: int, halts: Sequence[Halt] = (), examined_ms: int = 0
    ) -> Reached:
        if self.away:
            self.away -= 1
            raise VenueUnavailable("The simulator does not answer.")
        target_ms = max(self.now_ms, min(to_ms, self.end_ms))
        halted_ms = next(self._halted(target_ms, halts, examined_ms), None)
        self.halts += halted_ms is not None
        self.now_ms = target_ms if halted_ms is None else halted_ms
        if self.now_ms in self.loses:
            self.loses.remove(self.now_ms)
            raise VenueUnavailable("The simulator was killed.")
        bests = {(h.symbol, h.since_ms) for h in halts if h.since_ms is not None}
        return Reached(
            venue_ms=self.now_ms,
            halted=halted_ms is not None,
            bests=tuple(
                BestBid(symbol=symbol, since_ms=since_ms, best=self.best(symbol, since_ms))
                for symbol, since_ms in sorted(bests)
            ),
        )

    def _halted(self, target_ms: int, halts: Sequence[Halt], examined_ms: int) -> Iterator[int]:
        """The moments at which something becomes true, or is and was not examined."""
        if self.now_ms != examined_ms and any(self._holds(halt, self.now_ms) for halt in halts):
            yield self.now_ms
        changes = sorted({ms for bids in self.bids.values() for ms in bids})
        for ms in changes:
            if self.now_ms < ms <= target_ms and any(
                self._holds(halt, ms) and not self._holds(halt, ms - 1) for halt in halts
            ):
                yield ms

    def _holds(self, halt: Halt, ms: int) -> bool:
        bid, level = self.bid(halt.symbol, ms), halt.number
        if halt.kind is HaltKind.BID_AT_OR_ABOVE:
            return bid >= level
        if halt.kind is HaltKind.BID_TRAILS:
            assert halt.best is not None
            assert halt.since_ms is not None
            best = max(halt.best, self.best(halt.symbol, halt.since_ms, ms))
            return bid <= trail_price(best, halt.number)
        return bid <= level

    def bid(self, symbol: str, ms: int | None = None) -> Price:
        """The bid at a moment; now, unless said."""
        at_ms = self.now_ms if ms is None else ms
        return self.bids[symbol][max(since for since in self.bids[symbol] if since <= at_ms)]

    def best(self, symbol: str, since_ms: int, ms: int | None = None) -> Price:
        """The highest bid from a moment to another."""
        until_ms = self.now_ms if ms is None else ms
        later = [bid for at, bid in self.bids[symbol].items() if since_ms <= at <= until_ms]
        return max([self.bid(symbol, since_ms), *later])


class GuardStore(FakeStore):
    """A record of guards that a test sets, by bot; `away` counts questions it does not answer.

    `asked` counts how often it was asked for guards.
    """

    def __init__(self) -> None:
        super().__init__()
        self.by_bot: dict[str, Guard] = {}
        self.away = 0
        self.asked = 0

    async def guards(
        self,
        venue: str,  # noqa: ARG002 - there is one
        only: Collection[tuple[str, str]] | None = None,  # noqa: ARG002 - asked for by no driver
    ) -> list[Guard]:
        self._answer()
        self.asked += 1
        return list(self.by_bot.values())

    async def raise_best(self, venue: str, best: Best) -> None:  # noqa: ARG002
        self._answer()
        for bot_id, guard in self.by_bot.items():
            mine = guard.symbol == best.symbol and guard.opened_ms <= best.at_ms
            if mine and guard.best is not None and guard.best < best.price:
                self.by_bot[bot_id] = guard.model_copy(update={"best": best.price})

    def _answer(self) -> None:
        if self.away:
            self.away -= 1
            raise Unavailable("PostgreSQL does not answer.")


def purpose_at(guard: Guard, bid: Price, at_ms: int) -> str | None:
    """What a bid and a venue time set off."""
    if bid <= guard.stop_price:
        return "stop"
    if guard.trail and guard.best and bid <= trail_price(guard.best, guard.trail):
        return "trail"
    if bid >= guard.target_price:
        return "target"
    return "hold" if guard.hold_until_ms <= at_ms else None
