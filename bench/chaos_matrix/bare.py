"""For how long a live bot's coins had no stop at the exchange, by the exchange's log alone."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import zip_longest

from chaos_matrix.happened import ZERO, Change, Happened
from chaos_matrix.prices import Prices


@dataclass
class _Coin:
    """One coin of a bot as the log goes on; `since_ms` is from when it has been bare."""

    coins: Decimal = ZERO
    stops: dict[str, Decimal] = field(default_factory=dict)
    since_ms: int | None = None
    longest_ms: int = 0

    def take(self, change: Change) -> None:
        self.coins += change.coins
        if change.stop:
            self.stops[change.stop] = change.size

    def look(self, at_ms: int, lot: Decimal, minimum: Decimal) -> None:
        """See whether all that can be sold has a stop, up to a moment and from then on."""
        whole = self.coins // lot * lot
        is_bare = whole >= minimum and sum(self.stops.values(), ZERO) < whole
        if self.since_ms is not None:
            self.longest_ms = max(self.longest_ms, at_ms - self.since_ms)
        if not is_bare:
            self.since_ms = None
        elif self.since_ms is None:
            self.since_ms = at_ms


def bare_ms(
    happened: Happened, names: Collection[str], prices: Prices, now_ms: int
) -> Mapping[str, int]:
    """Give the longest time (venue ms) for which each coin was held without a stop for all of it.

    What changes in one millisecond counts as one change.
    """
    coins: defaultdict[str, _Coin] = defaultdict(_Coin)
    mine = [change for change in happened.changes if change.name in frozenset(names)]
    for change, after in zip_longest(mine, mine[1:]):
        coin = coins[change.symbol]
        coin.take(change)
        if after is None or after.ts != change.ts:
            for symbol, each in coins.items():
                each.look(change.ts, prices.lot(symbol), prices.minimum(symbol))
    for symbol, each in coins.items():
        each.look(now_ms, prices.lot(symbol), prices.minimum(symbol))
    return {symbol: each.longest_ms for symbol, each in coins.items()}
