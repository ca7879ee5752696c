"""The index of guards: it finds what a look at every guard finds, without looking at every one."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from oxbot.domain.guard_index import Best, GuardIndex
from oxbot.domain.guards import Guard
from oxbot.domain.money import Price
from oxbot.domain.orders import Purpose
from oxbot.domain.portfolio import Direction
from tests.support.examples import examples
from tests.support.trading import BTC, ETH
from tests.unit.domain.test_guards import guard

Found = dict[tuple[str, str], tuple[int, int, Purpose]]

TRAILS = (None, Decimal("0.01"), Decimal("0.02"), Decimal("0.3"))


@dataclass
class Scan:
    """Looks at every guard with every price: slow, and plain to see."""

    guards: dict[tuple[str, str], Guard] = field(default_factory=dict)
    newest_ms: dict[str, int] = field(default_factory=dict)

    def put(self, new: Guard) -> None:
        known = self.guards.get(new.key)
        known = known if known and _stays(known, new) else None
        if known and known.best is not None and new.best is not None:
            better = known.best if new.direction.gain(new.best, known.best) > 0 else new.best
            new = new.model_copy(update={"best": better})
        self.guards[new.key] = new

    def crossed(self, symbol: str, bid: Price, ask: Price, at_ms: int) -> Found:
        if at_ms < self.newest_ms.get(symbol, 0):
            return {}
        self.newest_ms[symbol] = at_ms
        found: Found = {}
        for key, each in list(self.guards.items()):
            if each.symbol != symbol or each.opened_ms > at_ms:
                continue
            price = bid if each.direction is Direction.LONG else ask
            if each.best is not None and each.direction.gain(each.best, price) > 0:
                self.guards[key] = each.model_copy(update={"best": price})
            purpose = self.guards[key].purpose_at(price)
            if purpose:
                found[key] = (*each.stamp, purpose)
        return found


def _stays(known: Guard, new: Guard) -> bool:
    """Whether it is the same position still."""
    return (known.opened_ms, known.direction) == (new.opened_ms, new.direction)


symbols = st.sampled_from([BTC, ETH])
bots = st.sampled_from([f"b{number}" for number in range(8)])
levels = st.integers(min_value=80, max_value=120).map(Price)


@st.composite
def guards(draw: st.DrawFn) -> Guard:
    trail = draw(st.sampled_from(TRAILS))
    return guard(
        bot_id=draw(bots),
        symbol=draw(symbols),
        direction=draw(st.sampled_from(Direction)),
        opened_ms=draw(st.integers(min_value=1, max_value=12)),
        version=draw(st.integers(min_value=1, max_value=3)),
        stop_price=draw(levels),
        target_price=draw(levels),
        trail=trail,
        best=draw(levels) if trail else None,
    )


moments = st.integers(min_value=1, max_value=12)


class Index(RuleBasedStateMachine):
    """The index and the scan are told the same, and asked the same."""

    def __init__(self) -> None:
        super().__init__()
        self.index, self.scan = GuardIndex(), Scan()

    @rule(new=guards())
    def put(self, new: Guard) -> None:
        self.index.put(new)
        self.scan.put(new)

    @rule(bot_id=bots, symbol=symbols)
    def remove(self, bot_id: str, symbol: str) -> None:
        self.index.remove((bot_id, symbol))
        self.scan.guards.pop((bot_id, symbol), None)

    @rule(symbol=symbols, bid=levels, spread=st.integers(0, 3).map(Price), at_ms=moments)
    def price(self, symbol: str, bid: Price, spread: Price, at_ms: int) -> None:
        crossings = self.index.crossed(symbol, bid, bid + spread, at_ms)
        told = {each.guard.key: (*each.guard.stamp, each.purpose) for each in crossings}
        assert len(told) == len(crossings)
        assert told == self.scan.crossed(symbol, bid, bid + spread, at_ms)

    @invariant()
    def counts(self) -> None:
        assert len(self.index) == len(self.scan.guards)


Index.TestCase.settings = settings(max_examples=examples(50), stateful_step_count=30)
TestItFindsWhatALookAtEveryGuardFinds = pytest.mark.critical(Index.TestCase)


def test_a_price_can_be_asked_what_it_reaches_of_some_bots_alone() -> None:
    index = GuardIndex()
    for bot_id in ("b1", "b2", "b3"):
        index.put(guard(bot_id=bot_id, opened_ms=1, stop_price=Price(101)))
    index.put(guard(bot_id="b4", opened_ms=1, trail=Decimal("0.02"), best=Price(90)))
    found = index.crossed(BTC, Price(100), Price(100), 3, {"b2", "b9"})
    assert [each.guard.bot_id for each in found] == ["b2"]
    assert [best.price for best in index.raised()] == [Price(100)]


def work_of_prices(positions: int, *bids: int) -> list[int]:
    """Comparisons of prices that each bid costs, with so many positions that trail from 100."""
    index = GuardIndex()
    for number in range(positions):
        index.put(
            guard(
                bot_id=f"b{number}",
                stop_price=Price(Decimal(90) - Decimal(number) / 10_000),
                target_price=Price(Decimal(110) + Decimal(number) / 10_000),
                trail=Decimal("0.05") + Decimal(number % 97) / 100_000,
                best=Price(Decimal(100) - Decimal(number % 7) / 10_000),
            )
        )
    at_ms, costs = guard().opened_ms, []
    for bid in bids:
        at_ms += 1
        with counted() as count:
            assert index.crossed(BTC, Price(bid), Price(bid), at_ms) == []
        costs.append(count.total())
    return costs


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Count how often prices are compared."""
    count: Counter[str] = Counter()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("__lt__", "__le__", "__gt__", "__ge__", "__eq__"):
            compare = getattr(Price, name)

            def counting(
                left: Price, right: Price, name: str = name, compare: Compare = compare
            ) -> bool:
                count[name] += 1
                return compare(left, right)

            patch.setattr(Price, name, counting)
        yield count


Compare = Callable[[Price, Price], bool]


@pytest.mark.critical
def test_a_price_costs_no_more_comparisons_with_more_positions() -> None:
    """The first lets all in, and a new high merges what lies below: then all trail as one."""
    bids = (99, 101, 100, 102, 99)
    few, many = work_of_prices(10, *bids), work_of_prices(2_000, *bids)
    assert many[2:] == few[2:]
    assert max(many[2:]) <= 60


def test_a_position_that_is_newer_than_the_price_waits_for_one_as_new_as_itself() -> None:
    index = GuardIndex()
    index.put(guard(opened_ms=1_000))
    assert index.crossed(BTC, Price(90), Price(90), 999) == []
    assert [c.purpose for c in index.crossed(BTC, Price(90), Price(90), 1_000)] == [Purpose.STOP]


def test_an_older_price_says_nothing_once_a_newer_one_was_seen() -> None:
    index = GuardIndex()
    index.put(guard(opened_ms=1))
    assert index.crossed(BTC, Price(100), Price(100), 50) == []
    assert index.crossed(BTC, Price(90), Price(90), 49) == []
    assert len(index.crossed(BTC, Price(90), Price(90), 50)) == 1


def test_what_is_reached_is_told_again_until_it_is_removed() -> None:
    index = GuardIndex()
    index.put(guard(opened_ms=1))
    assert len(index.crossed(BTC, Price(90), Price(90), 2)) == 1
    assert len(index.crossed(BTC, Price(90), Price(90), 3)) == 1
    index.remove(("b1", BTC))
    assert index.crossed(BTC, Price(90), Price(90), 4) == []


def test_a_stop_that_was_moved_above_the_price_is_reached_by_the_next_one() -> None:
    index = GuardIndex()
    index.put(guard(opened_ms=1))
    assert index.crossed(BTC, Price(100), Price(100), 2) == []
    index.put(guard(opened_ms=1, stop_price=Price(101)))
    assert len(index.crossed(BTC, Price(100), Price(100), 3)) == 1


def test_a_best_that_the_record_has_not_heard_of_yet_is_kept() -> None:
    index = GuardIndex()
    trailing = guard(opened_ms=1, trail=Decimal("0.02"), best=Price(100))
    index.put(trailing)
    assert index.crossed(BTC, Price(106), Price(106), 2) == []
    index.put(trailing.model_copy(update={"version": 2}))
    [crossing] = index.crossed(BTC, Price("103.88"), Price("103.88"), 3)
    assert (crossing.purpose, crossing.guard.version) == (Purpose.TRAIL, 2)


@pytest.mark.critical
@pytest.mark.parametrize("direction", Direction)
def test_a_near_trailing_stop_that_joins_a_larger_group_is_still_the_first_to_be_reached(
    direction: Direction,
) -> None:
    def at(distance: int) -> Price:
        return Price(100 + direction.sign * distance)

    def trailing(bot_id: str, trail: str, best: Price) -> Guard:
        return guard(
            bot_id=bot_id,
            direction=direction,
            opened_ms=1,
            stop_price=at(-50),
            target_price=at(50),
            trail=Decimal(trail),
            best=best,
        )

    index = GuardIndex()
    index.put(trailing("near", "0.01", at(0)))
    for bot_id in ("far", "as far"):
        index.put(trailing(bot_id, "0.05", at(1)))
    assert index.crossed(BTC, at(4), at(4), 2) == []
    [crossing] = index.crossed(BTC, at(2), at(2), 3)
    assert (crossing.guard.bot_id, crossing.purpose) == ("near", Purpose.TRAIL)


def test_prices_that_raised_a_best_are_given_once_without_those_outdone() -> None:
    index = GuardIndex()
    index.put(guard(opened_ms=1, trail=Decimal("0.5"), best=Price(100)))
    for at_ms, bid in enumerate((101, 103, 102, 104, 99), start=2):
        index.crossed(BTC, Price(bid), Price(bid), at_ms)
    index.put(guard(bot_id="b2", opened_ms=6, trail=Decimal("0.5"), best=Price(90)))
    index.crossed(BTC, Price(95), Price(95), 8)
    long = Direction.LONG
    assert list(index.raised()) == [Best(BTC, long, Price(104), 5), Best(BTC, long, Price(95), 8)]
    assert list(index.raised()) == []


def test_a_short_is_reached_by_the_ask_with_its_stop_above_and_its_best_below() -> None:
    index = GuardIndex()
    shorts = guard(
        direction=Direction.SHORT,
        opened_ms=1,
        stop_price=Price(110),
        target_price=Price(80),
        trail=Decimal("0.1"),
        best=Price(100),
    )
    index.put(shorts)
    assert index.crossed(BTC, Price(80), Price(90), 2) == []
    assert list(index.raised()) == [Best(BTC, Direction.SHORT, Price(90), 2)]
    [trailed] = index.crossed(BTC, Price(98), Price(99), 3)
    assert (trailed.purpose, trailed.price) == (Purpose.TRAIL, Price(99))
    assert [c.purpose for c in index.crossed(BTC, Price(109), Price(110), 4)] == [Purpose.STOP]
    assert [c.purpose for c in index.crossed(BTC, Price(79), Price(80), 5)] == [Purpose.TARGET]
