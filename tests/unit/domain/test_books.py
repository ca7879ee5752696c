"""The books under any sequence of fills, in both directions: nothing is lost or made up.

hypothesis plays the market: entries, partial and whole exits, fees in the coin or in USDT, and
now and then a fill that must not be booked.
"""

from collections import defaultdict
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from oxbot.domain.errors import LedgerBroken
from oxbot.domain.ledger import Entry, deposit_entries, must_balance
from oxbot.domain.market import Instrument
from oxbot.domain.money import Notional, Price, Quantity, to_scale
from oxbot.domain.orders import Fill, Order, Side
from oxbot.domain.portfolio import Direction, Position, Trade
from oxbot.domain.settlement import settle
from tests.support.examples import examples
from tests.support.trading import BTC, entry, fill, leave

CAPITAL = Notional(10**12)
STEPS = Instrument(
    symbol=BTC, tick=Price("0.01"), lot=Quantity("0.0001"), minimum=Quantity("0.001")
)
QUANTITIES = st.decimals("0.0001", 1000, places=8).map(Quantity)
PRICES = st.decimals("0.01", 10**6, places=4).map(Price)
FEES = st.decimals(0, "0.01", places=5)


class Books(RuleBasedStateMachine):
    """One coin's books, by `settle` alone, and what was settled."""

    def __init__(self) -> None:
        super().__init__()
        self.cash, self.position = CAPITAL, None
        self.dust = Quantity(0)
        self.entries: list[Entry] = [*deposit_entries(CAPITAL)]
        self.trades: list[Trade] = []
        self.settled: list[tuple[Order, Fill, bool]] = []

    cash: Notional
    position: Position | None

    @rule(
        direction=st.sampled_from(Direction),
        quantity=QUANTITIES,
        price=PRICES,
        fee=FEES,
        in_coin=st.booleans(),
    )
    def enter(
        self, direction: Direction, quantity: Quantity, price: Price, fee: Decimal, *, in_coin: bool
    ) -> None:
        """Open a position of either direction, or add to the one there is."""
        side = (self.position.direction if self.position else direction).entry_side
        order = entry("b1", side=side, quantity=quantity)
        self._book(order, _fill(order, price, fee, in_coin=in_coin))

    @rule(parts=st.lists(st.tuples(QUANTITIES, PRICES), min_size=2, max_size=4))
    def enter_on_several_levels(self, parts: list[tuple[Quantity, Price]]) -> None:
        """Book an entry's executions together: only what all of them brought may be dust."""
        side = (self.position.direction if self.position else Direction.LONG).entry_side
        order = entry("b1", side=side, quantity=sum((q for q, _ in parts), Quantity(0)))
        for number, (quantity, price) in enumerate(parts, start=1):
            traded = fill(order, str(price)).model_copy(
                update={"quantity": quantity, "fee": Decimal(0)}
            )
            self._book(order, traded, last=number == len(parts))

    @invariant()
    def what_is_held_can_be_closed(self) -> None:
        """No position is too small for an exit."""
        assert not self.position or STEPS.is_tradable(self.position.quantity)

    @precondition(lambda self: self.position)
    @rule(
        part=st.none() | st.decimals("0.01", 1, places=6),
        price=PRICES,
        fee=FEES,
        in_coin=st.booleans(),
    )
    def leave(self, part: Decimal | None, price: Price, fee: Decimal, *, in_coin: bool) -> None:
        """Close a part of the position, or all that can be closed."""
        assert self.position
        lots = abs(STEPS.whole_lots(self.position.quantity * (1 if part is None else part)))
        if lots:
            order = leave("b1", 1, str(lots), side=self.position.exit_side)
            self._book(order, _fill(order, price, fee, in_coin=in_coin))

    @rule(price=PRICES, more=QUANTITIES)
    def leave_through_zero(self, price: Price, more: Quantity) -> None:
        """An exit of more than is there changes nothing, and says so."""
        held = self.position.quantity if self.position else Quantity(0)
        side = Direction.of(held).exit_side
        order = leave("b1", 1, str(abs(held) + more), side=side)
        self._refuse(order, _fill(order, price, Decimal(0), in_coin=False))

    @precondition(lambda self: self.position)
    @rule(price=PRICES, quantity=QUANTITIES)
    def act_against_the_position(self, price: Price, quantity: Quantity) -> None:
        """Neither does an entry reduce a position, nor an exit enlarge it."""
        assert self.position
        against = entry("b1", side=self.position.exit_side, quantity=quantity)
        enlarging = leave("b1", 1, str(quantity), side=self.position.direction.entry_side)
        for order in (against, enlarging):
            self._refuse(order, _fill(order, price, Decimal(0), in_coin=False))

    def _book(self, order: Order, traded: Fill, *, last: bool = True) -> None:
        change = settle(self.position, self.cash, order, traded, STEPS, last=last)
        must_balance(change.entries)
        self.cash, self.position = change.cash, change.position
        self.dust += change.dust
        self.entries += change.entries
        self.trades += [change.trade] if change.trade else []
        self.settled.append((order, traded, last))

    def _refuse(self, order: Order, traded: Fill) -> None:
        with pytest.raises(LedgerBroken):
            settle(self.position, self.cash, order, traded, STEPS)

    def _sums(self) -> dict[tuple[str, str], Decimal]:
        sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for line in self.entries:
            sums[line.account, line.currency] += line.amount
        return sums

    @invariant()
    def the_ledger_says_what_is_there(self) -> None:
        sums, held = self._sums(), self.position
        assert sums["cash", "USDT"] == self.cash.number
        assert sums[f"position:{BTC}", "USDT"] == (held.cost.number if held else 0)
        assert sums[f"position:{BTC}", "BTC"] == (held.quantity.number if held else 0)
        assert sums["dust", "BTC"] == self.dust.number
        for currency in ("USDT", "BTC"):
            assert sum(amount for (_, kept), amount in sums.items() if kept == currency) == 0

    @invariant()
    def what_cannot_be_negative_is_not(self) -> None:
        sums, held = self._sums(), self.position
        assert min(sums["fees", "USDT"], sums["fees", "BTC"]) >= 0
        if held:
            assert held.quantity != 0
            assert held.direction.sign * held.cost >= 0
            assert min(held.entry_notional, held.paid, held.received, held.fees) >= 0
            assert held.entry_quantity > 0

    @invariant()
    def cash_and_coins_are_what_the_fills_moved_by_their_own_figures(self) -> None:
        """Counted anew from quantity, price and fee: each product is rounded once."""
        cash, coins = CAPITAL.number, Decimal(0)
        for _, traded, _ in self.settled:
            sign = 1 if traded.side is Side.BUY else -1
            in_coin = traded.fee_currency == "BTC"
            cash -= sign * _twelve_places(traded.quantity.number * traded.price.number)
            cash -= 0 if in_coin else traded.fee
            coins += sign * traded.quantity.number - (traded.fee if in_coin else 0)
        held = self.position.quantity if self.position else Quantity(0)
        assert (self.cash.number, (held + self.dust).number) == (cash, coins)

    @invariant()
    def profit_is_what_cash_and_the_rest_have_gained(self) -> None:
        held = self.position
        under_way = held.received - held.paid if held else Notional(0)
        profit = sum((trade.net_pnl for trade in self.trades), Notional(0))
        dust = Notional(self._sums()["dust", "USDT"])
        assert self.cash - CAPITAL == profit + under_way - dust

    @invariant()
    def the_fills_alone_give_the_same_books(self) -> None:
        cash, dust, trades = CAPITAL, Quantity(0), list[Trade]()
        position: Position | None = None
        for order, traded, last in self.settled:
            change = settle(position, cash, order, traded, STEPS, last=last)
            cash, position, dust = change.cash, change.position, dust + change.dust
            trades += [change.trade] if change.trade else []
        assert (cash, position, dust, trades) == (self.cash, self.position, self.dust, self.trades)

    def teardown(self) -> None:
        """Close what is left: the last lot takes the residue of its cost along."""
        if self.position and abs(self.position.quantity) >= STEPS.minimum:
            self.leave(None, Price(7), Decimal("0.001"), in_coin=False)
            assert {self._sums()[f"position:{BTC}", kept] for kept in ("USDT", "BTC")} == {0}
            self.profit_is_what_cash_and_the_rest_have_gained()


def _twelve_places(number: Decimal) -> Decimal:
    return number.quantize(Decimal("1E-12"), rounding=ROUND_HALF_EVEN)


def _fill(order: Order, price: Price, rate: Decimal, *, in_coin: bool) -> Fill:
    """A whole fill; only a buy's fee can be taken in the coin."""
    if in_coin and order.side is Side.BUY:
        fee, currency = to_scale(order.quantity * rate).number, "BTC"
    else:
        fee, currency = to_scale(order.quantity * price * rate).number, "USDT"
    return fill(order, str(price), fee=fee, fee_currency=currency)


TestBooks = pytest.mark.critical(Books.TestCase)
TestBooks.settings = settings(max_examples=examples(60), stateful_step_count=12, deadline=None)
