"""An order's states: no sequence of events sends twice, revives what is over, or overfills."""

import itertools

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from oxbot.domain.errors import Conflict, InputError, LedgerBroken
from oxbot.domain.lifecycle import FOLLOWS, finished, moved, released, settled, sources
from oxbot.domain.money import Quantity
from oxbot.domain.orders import Fill, OrderState
from tests.support.examples import examples
from tests.support.trading import entry, fill

pytestmark = pytest.mark.critical

ORDERED = Quantity(10)


class Life(RuleBasedStateMachine):
    """One order, attempts that come and go, and a venue that may or may not get it."""

    def __init__(self) -> None:
        super().__init__()
        self.order = entry("b1", quantity=ORDERED)
        self.arrivals = 0
        self.executed: list[Fill] = []
        self.known: list[Fill] = []
        self.final_before = False

    @property
    def left(self) -> Quantity:
        return ORDERED - sum((one.quantity for one in self.executed), Quantity(0))

    @rule(arrives=st.booleans())
    def claim_and_send(self, *, arrives: bool) -> None:
        """Whoever wins the claim sends; a second claimant finds the order taken."""
        if self.order.state not in sources(OrderState.SENT):
            with pytest.raises(Conflict):
                moved(self.order, OrderState.SENT)
            return
        self.order = moved(self.order, OrderState.SENT)
        self.arrivals += arrives
        with pytest.raises(Conflict):
            moved(self.order, OrderState.SENT)

    @precondition(lambda self: not self.arrivals)
    @rule()
    def release(self) -> None:
        """What certainly never arrived is taken back, unless it is over."""
        if self.order.state.is_final:
            with pytest.raises(Conflict):
                released(self.order)
        else:
            self.order = released(self.order)

    @precondition(lambda self: self.order.state is OrderState.SENT)
    @rule(state=st.sampled_from([OrderState.UNKNOWN, OrderState.OPEN]))
    def hear_of_it(self, state: OrderState) -> None:
        """The venue has it, or nobody knows."""
        if state is OrderState.UNKNOWN or self.arrivals:
            self.order = moved(self.order, state)

    @precondition(lambda self: self.arrivals)
    @rule(part=st.integers(1, 10))
    def execute(self, part: int) -> None:
        """The venue trades a part of what is left."""
        quantity = min(Quantity(part), self.left)
        if quantity:
            number = len(self.executed)
            self.executed.append(fill(self.order, trade_id=str(number), quantity=quantity))

    @rule(state=st.sampled_from([OrderState.REFUSED, OrderState.CANCELLED]))
    def finish(self, state: OrderState) -> None:
        """The first end stands."""
        before = self.order
        self.order = finished(self.order, state, "because")
        assert self.order == before if before.state.is_final else self.order.state is state

    @rule(state=st.sampled_from(OrderState))
    def end_it_otherwise(self, state: OrderState) -> None:
        """No order ends without a fill but refused or cancelled."""
        if state not in (OrderState.REFUSED, OrderState.CANCELLED):
            with pytest.raises(InputError):
                finished(self.order, state, "")

    @rule()
    def settle(self) -> None:
        """Settle what the venue executed; what is known already changes nothing."""
        self.order = settled(self.order, self.executed)
        self.known = list(self.executed)
        assert settled(self.order, self.executed) == self.order
        assert self.order.state.is_final

    @rule(more=st.integers(1, 10))
    def settle_too_much(self, more: int) -> None:
        """More than was ordered is refused, and so is what belongs to another order."""
        extra = fill(self.order, trade_id="extra", quantity=self.left + Quantity(more))
        foreign = fill(self.order, order_id="another", quantity=Quantity(1))
        for wrong in (extra, foreign):
            with pytest.raises(LedgerBroken):
                settled(self.order, [*self.executed, wrong])

    @invariant()
    def it_is_sent_at_most_once(self) -> None:
        assert self.arrivals <= 1

    @invariant()
    def what_is_over_stays_over(self) -> None:
        assert self.order.state.is_final or not self.final_before
        self.final_before = self.order.state.is_final

    @invariant()
    def it_is_filled_as_far_as_is_known_and_never_beyond(self) -> None:
        assert self.left >= 0
        assert (self.order.state is OrderState.FILLED) == bool(self.known)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=examples(100), stateful_step_count=20, deadline=None)


@pytest.mark.parametrize(
    ("state", "to"),
    [
        (state, to)
        for state, to in itertools.product(OrderState, repeat=2)
        if to not in FOLLOWS[state]
    ],
)
def test_there_is_no_other_way_than_the_table_has(state: OrderState, to: OrderState) -> None:
    with pytest.raises(Conflict, match=f"is {state}; it cannot become {to}"):
        moved(entry("b1", state=state), to)


def test_only_an_intended_order_is_sent_and_only_executions_reach_past_an_end() -> None:
    assert sources(OrderState.SENT) == (OrderState.INTENDED,)
    ends = {state for state in OrderState if state.is_final}
    assert {to for state in ends for to in FOLLOWS[state]} == {OrderState.FILLED}
    assert FOLLOWS.keys() == set(OrderState)
