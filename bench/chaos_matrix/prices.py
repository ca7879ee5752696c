"""Where the simulator's prices went: a function of seed and time that no bot has a part in."""

from decimal import Decimal

from oxbot.simulator.instruments import INSTRUMENTS
from oxbot.simulator.options import Options, open_venue
from oxbot.simulator.ways import Moment, Ways


class Prices:
    """Best bids of the generated market; the ask is a tick above.

    Args:
        seed: Of the market.
    """

    def __init__(self, seed: int) -> None:
        market = open_venue(Options(seed=seed, mode="stepped")).market
        self._ways = Ways(market)
        self._step_ms = market.source.step_ms
        self._spread = market.shape.spread_ticks

    def bid(self, symbol: str, ms: int) -> Decimal:
        """Give the bid at a moment (venue ms), in USDT."""
        name = _name(symbol)
        return Decimal(INSTRUMENTS[name].price(self._ways.price(name, ms)))

    def lot(self, symbol: str) -> Decimal:
        """Give the smallest step of a size, in coins."""
        return Decimal(INSTRUMENTS[_name(symbol)].lot)

    def tick(self, symbol: str) -> Decimal:
        """Give the smallest step of a price, in USDT."""
        return Decimal(INSTRUMENTS[_name(symbol)].tick)

    def minimum(self, symbol: str) -> Decimal:
        """Give the smallest size of an order, in coins."""
        return Decimal(INSTRUMENTS[_name(symbol)].minimum)

    def extremes(self, symbol: str, from_ms: int, to_ms: int) -> tuple[Decimal, Decimal]:
        """Give the lowest and the highest bid from one moment to another, both included."""
        name, seen = _name(symbol), []
        at_ms = from_ms
        while at_ms <= to_ms:
            inside = self._ways.inside(name, at_ms)
            end_ms = min(inside.opened_ms + self._step_ms - 1, to_ms)
            begin = Moment(at_ms, inside.ticks(at_ms))
            seen += [begin.ticks, *(leg.end.ticks for leg in inside.legs(begin, end_ms))]
            at_ms = end_ms + 1
        listed = INSTRUMENTS[name]
        return Decimal(listed.price(min(seen))), Decimal(listed.price(max(seen)))


def _name(symbol: str) -> str:
    return symbol.replace("/", "-")
