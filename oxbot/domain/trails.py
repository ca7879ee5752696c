"""Trailing stops of one symbol, in groups that rise together."""

from collections.abc import Iterator
from decimal import Decimal

from oxbot.domain.money import Price, to_scale
from oxbot.domain.ranks import Ranks


class Trails:
    """Trailing stops by the best bid that they follow.

    Positions with the same best bid are one group, and stay one: whatever raises one of them
    raises all. A new high makes one group of all that lie below it, the smaller put into the
    largest; so a position is moved, over its whole life, a number of times that grows with the
    logarithm of how many there are. The edge of a group is the price at which the first of its
    stops is reached.

    Only long positions are spelled out: short ones are the same with every price negated.
    """

    def __init__(self) -> None:
        self._group_of: dict[str, _Group] = {}
        self._groups: dict[Price, _Group] = {}
        self._bests: Ranks[Price, Price] = Ranks()
        self._edges: Ranks[Price, Price] = Ranks()

    def best(self, bot_id: str) -> Price:
        """Give the best bid that a bot's trailing stop follows, in USDT."""
        return self._group_of[bot_id].best

    def put(self, bot_id: str, trail: Decimal, best: Price) -> None:
        """Have a bot's trailing stop follow the bid from this best on."""
        group = self._groups.get(best) or _Group(best)
        self._take_out(group)
        group.members.put(trail, bot_id)
        self._group_of[bot_id] = group
        self._put_in(group)

    def remove(self, bot_id: str, trail: Decimal) -> None:
        """Forget a bot's trailing stop."""
        group = self._group_of.pop(bot_id)
        self._take_out(group)
        group.members.remove(trail, bot_id)
        self._put_in(group)

    def raise_to(self, bid: Price) -> bool:
        """Let all that lie below a bid follow it; tell whether any did."""
        if not self._bests or self._bests.lowest >= bid:
            return False
        merging = [self._groups[best] for best in self._bests.at_most(bid)]
        largest = max(merging, key=lambda group: len(group.members))
        for group in merging:  # all of them first: what is moved changes the largest one's edge
            self._take_out(group)
        for group in merging:
            if group is not largest:
                self._move(group, largest)
        largest.best = bid
        self._put_in(largest)
        return True

    def reached(self, bid: Price) -> Iterator[str]:
        """Give the bots whose trailing stop a bid reaches."""
        for best in self._edges.at_least(bid):
            yield from self._groups[best].reached(bid)

    def _move(self, group: "_Group", into: "_Group") -> None:
        for trail, bot_id in group.members:
            into.members.put(trail, bot_id)
            self._group_of[bot_id] = into

    def _put_in(self, group: "_Group") -> None:
        if group.members:
            self._groups[group.best] = group
            self._bests.put(group.best, group.best)
            self._edges.put(group.edge, group.best)

    def _take_out(self, group: "_Group") -> None:
        if self._groups.pop(group.best, None):
            self._bests.remove(group.best, group.best)
            self._edges.remove(group.edge, group.best)


class _Group:
    """Trailing stops with one best bid, the closest first."""

    def __init__(self, best: Price) -> None:
        self.best = best
        self.members: Ranks[Decimal, str] = Ranks()

    @property
    def edge(self) -> Price:
        """Where the first of them is reached, in USDT."""
        return _level(self.best, self.members.lowest)

    def reached(self, bid: Price) -> Iterator[str]:
        """Give those that a bid reaches."""
        for trail, bot_id in self.members:
            if _level(self.best, trail) < bid:
                return
            yield bot_id


def _level(best: Price, trail: Decimal) -> Price:
    """Give where a trailing stop lies, also of prices that are negated."""
    return to_scale(best - abs(best) * trail)
