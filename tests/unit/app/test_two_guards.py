"""Two guards of one live position: whatever happens in whatever order, it is sold once at most."""

from collections.abc import Coroutine
from decimal import Decimal
from typing import TypeVar, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.app.execute import execute_order
from oxbot.app.protected import close
from oxbot.app.reconciliation import reconcile_bot
from oxbot.domain.money import Price, Quantity
from oxbot.domain.orders import Purpose
from oxbot.messages import ExecuteOrder
from tests.support.fakes import BTC, INSTRUMENT
from tests.support.interleaving import Fate, Fleet
from tests.unit.app.live_room import LATER_MS, OTHERS, LiveRoom, reconciling, sold
from tests.unit.app.room import BOT

pytestmark = pytest.mark.critical

ENDLESS = 5_000
"""More calls than any work takes that comes to an end."""

NAKED = "stop: the exchange takes none for this position"
"""Why a position was sold that can have no stop; an attempt that ends early leaves it untold."""

T = TypeVar("T")


def run(steps: Coroutine[object, object, T]) -> T:
    """Run what needs no event loop, since nothing in memory ever waits."""
    try:
        while True:
            steps.send(None)
    except StopIteration as end:
        return cast("T", end.value)


class World:
    """A live bot whose jobs go on in any order, beside an exchange that has a will of its own."""

    def __init__(self) -> None:
        self.live = LiveRoom()
        self.has_interfered = False
        order = run(self.live.open())
        self.fleet = Fleet(self.live.ports)
        self._execute(order.id)

    def go(self, which: int, steps: int) -> None:
        """An attempt goes on for some calls."""
        for _ in range(steps):
            self.fleet.go(which)

    def die(self, which: int) -> None:
        """An attempt's process is killed."""
        self.fleet.die(which)

    def hang(self, which: int) -> None:
        """An attempt is given up, and goes on some time."""
        self.fleet.hang(which)

    def lose(self, which: int, fate: Fate) -> None:
        """An attempt's next request to the exchange goes wrong."""
        self.fleet.lose(which, fate)

    def wait(self, ms: int) -> None:
        """Time passes."""
        self.live.now_ms += ms

    def trigger(self, part: Decimal) -> None:
        """The stop is reached, and so much of it finds a buyer."""
        self.has_interfered = True
        self.live.trigger(part)

    def cancel(self) -> None:
        """A person cancels the stop at the exchange."""
        self.has_interfered = True
        self.live.account.cancel_all()

    def hide(self, ms: int) -> None:
        """What the exchange takes from now on cannot be seen for some time."""
        self.live.account.hidden_ms = ms

    def refuse(self, method: str) -> None:
        """The exchange refuses from now on."""
        self.live.account.refusing.add(method)

    def admit(self) -> None:
        """It refuses nothing any more."""
        self.live.account.refusing.clear()

    def fill_in_part(self, part: Decimal) -> None:
        """Of the next exit only a part finds a buyer."""
        self.live.account.parts.append(part)

    def decide(self, part: Decimal) -> None:
        """A cycle has judged that all of it, or a part, is to be sold."""
        if self.live.may_leave:
            self._execute(self.live.leaving(part).id)

    def watch(self, purpose: Purpose) -> None:
        """The watch has seen a price beyond a guard."""
        self._protect(purpose, price=Price(57_000))

    def find_in_candles(self) -> None:
        """The stop was crossed while nobody watched."""
        self._protect(Purpose.STOP, price=Price(57_000), resting=Price(57_000))

    def ask(self, purpose: Purpose) -> None:
        """The longest hold is over, or a person wants it sold."""
        self._protect(purpose, version=0)

    def reconcile(self) -> None:
        """A cycle begins, or the exchange has told something."""
        self.fleet.start(lambda ports: reconcile_bot(ports, reconciling()))

    def happen(self, name: str, how: tuple[object, ...]) -> None:
        """Let one of these things happen."""
        getattr(self, name)(*how)
        self.must_leave_what_is_nobodys()

    def must_leave_what_is_nobodys(self) -> None:
        """Nothing was sold that the bot has not bought."""
        assert self.live.account.balances_by_currency["BTC"] >= OTHERS

    def must_have_a_stop_if_it_holds(self) -> None:
        """Whoever has taken a stop back has placed another, or an exit is on record."""
        holds = (BOT, BTC) in self.live.store._positions
        leaves = bool(run(self.live.store.unfinished_orders(BOT)))
        assert not holds or leaves or self.live.stop is not None

    def settle_down(self) -> None:
        """From now on nothing goes wrong: all attempts come to their end, then cycles begin."""
        self.live.account.parts.clear()
        self.admit()
        self.hide(0)
        for attempt in self.fleet.alive:
            attempt.fate = None
        self.drain()
        if not self.has_interfered:
            self.must_have_a_stop_if_it_holds()
        for _ in range(3):
            self.wait(LATER_MS)
            self.reconcile()
            for order in run(self.live.store.unfinished_orders(BOT)):
                self._execute(order.id)
            self.drain()

    def drain(self) -> None:
        """Let all attempts come to their end, side by side."""
        for step in range(ENDLESS):
            if not self.fleet.alive:
                return
            self.fleet.go(step)
            self.wait(100)
            self.must_leave_what_is_nobodys()
        raise AssertionError("the work never ends")

    def _execute(self, order_id: str) -> None:
        request = ExecuteOrder(bot_id=BOT, order_id=order_id)
        self.fleet.start(lambda ports: execute_order(ports, request))

    def _protect(self, purpose: Purpose, **changes: object) -> None:
        if (BOT, BTC) in self.live.store._positions:
            request = self.live.call(purpose, **changes)
            self.fleet.start(lambda ports: close(ports, request))


WHICH = st.integers(0, 7)
NOTHING = st.tuples()
PARTS = st.sampled_from([Decimal(1), Decimal("0.5"), Decimal("0.25"), Decimal(0)])
METHODS = st.sampled_from(["place", "place_stop", "amend_stop", "attach"])
HAPPENINGS: dict[str, st.SearchStrategy[tuple[object, ...]]] = {
    "go": st.tuples(WHICH, st.integers(1, 12)),
    "die": st.tuples(WHICH),
    "hang": st.tuples(WHICH),
    "lose": st.tuples(WHICH, st.sampled_from(Fate)),
    "wait": st.tuples(st.sampled_from([1_000, 6_000, LATER_MS])),
    "trigger": st.tuples(PARTS),
    "cancel": NOTHING,
    "hide": st.tuples(st.sampled_from([0, 3_000, 8_000])),
    "refuse": st.tuples(METHODS),
    "admit": NOTHING,
    "fill_in_part": st.tuples(PARTS),
    "decide": st.tuples(st.sampled_from([Decimal(1), Decimal("0.5")])),
    "watch": st.tuples(st.sampled_from([Purpose.STOP, Purpose.TRAIL])),
    "find_in_candles": NOTHING,
    "ask": st.tuples(st.sampled_from([Purpose.HOLD, Purpose.FLATTEN])),
    "reconcile": NOTHING,
}
"""What may happen, by the methods of World."""

MOSTLY_GOING_ON = [*sorted(HAPPENINGS), *["go"] * 16]
"""Attempts meet only where they get somewhere between what goes wrong."""

SCRIPTS = st.lists(
    st.sampled_from(MOSTLY_GOING_ON).flatmap(
        lambda name: st.tuples(st.just(name), HAPPENINGS[name])
    ),
    min_size=30,
    max_size=60,
)


@given(script=SCRIPTS)
def test_whatever_happens_in_whatever_order_it_is_sold_once_and_record_and_account_agree(
    script: list[tuple[str, tuple[object, ...]]],
) -> None:
    world = World()
    world.drain()
    for name, how in script:
        world.happen(name, how)
    world.settle_down()
    must_be_in_order(world)


@given(script=SCRIPTS)
def test_so_it_is_when_it_begins_with_the_entry(
    script: list[tuple[str, tuple[object, ...]]],
) -> None:
    world = World()
    for name, how in script:
        world.happen(name, how)
    world.settle_down()
    must_be_in_order(world)


def must_be_in_order(world: World) -> None:
    assert world.fleet.crashes == []
    live, store = world.live, world.live.store
    live.must_agree()
    live.must_be_protected()
    assert run(store.unfinished_orders(BOT)) == []
    assert run(store.audit(BOT)).drift == 0
    traded = live.account.traded
    bought = sum((fill.coins for fill in traded if fill.side == "buy"), Quantity(0))
    assert sold(traded, BTC) <= INSTRUMENT.whole_lots(bought)
    told_at_once = (Purpose.STOP, Purpose.TRAIL, Purpose.HOLD, Purpose.FLATTEN)
    must_be_told = {
        order.id for order in store.filled(*told_at_once) if not order.reason.startswith(NAKED)
    }
    assert set(store.orders_told) >= must_be_told
    assert run(live.reconcile()).blocks == ""
