"""What is gone is written off: at most what is missing and what is had, and the books still agree.

hypothesis buys, sells and loses at random; nothing else takes anything off the books.
"""

from collections import defaultdict
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from oxbot.domain.errors import LedgerBroken
from oxbot.domain.ledger import Entry, deposit_entries, lost_cash_entries, must_balance
from oxbot.domain.losses import CoinBooks, Lack, lacks_of, lose_coins, losses_of
from oxbot.domain.market import Instrument
from oxbot.domain.money import Notional, Price, Quantity, to_scale
from oxbot.domain.orders import Order, Purpose
from oxbot.domain.portfolio import Portfolio, Position, Trade
from oxbot.domain.settlement import settle
from tests.support.examples import examples
from tests.support.trading import BTC, ETH, NOW_MS, entry, fill, leave

pytestmark = pytest.mark.critical

CAPITAL = Notional(10**9)
STEPS = Instrument(
    symbol=BTC, tick=Price("0.01"), lot=Quantity("0.0001"), minimum=Quantity("0.001")
)
QUANTITIES = st.decimals("0.0005", 10, places=8).map(Quantity)
PRICES = st.decimals("0.01", 10**5, places=4).map(Price)
PARTS = st.just(Decimal(1)) | st.decimals("0.0001", 1, places=6)
D = Decimal


class Losing(RuleBasedStateMachine):
    """A coin's books under entries, exits and losses."""

    def __init__(self) -> None:
        super().__init__()
        self.cash, self.books = CAPITAL, CoinBooks(position=None)
        self.entries: list[Entry] = [*deposit_entries(CAPITAL)]
        self.trades: list[Trade] = []
        self.bought = self.sold = self.lost = Quantity(0)
        self.lost_cash, self.lost_dust = Notional(0), Notional(0)

    @property
    def has(self) -> Quantity:
        """All coins on the books."""
        held = self.books.position.quantity if self.books.position else Quantity(0)
        return held + self.books.dust

    @rule(quantity=QUANTITIES, price=PRICES)
    def buy(self, quantity: Quantity, price: Price) -> None:
        """Open a position, or add to the one there is; the fee is taken in the coin."""
        fee = to_scale(quantity * D("0.001")).number
        self._settle(entry("b1", quantity=quantity), price, fee, "BTC")
        self.bought += quantity - Quantity(fee)

    @precondition(lambda self: self.books.position)
    @rule(part=PARTS, price=PRICES)
    def sell(self, part: Decimal, price: Price) -> None:
        """Sell a part of the position, or all that can be sold."""
        assert self.books.position
        lots = STEPS.whole_lots(self.books.position.quantity * part)
        if lots:
            self._settle(leave("b1", 1, str(lots)), price, D(0), "USDT")
            self.sold += lots

    def _settle(self, order: Order, price: Price, fee: Decimal, currency: str) -> None:
        traded = fill(order, str(price), fee=fee, fee_currency=currency)
        change = settle(self.books.position, self.cash, order, traded, STEPS)
        dust = [e.amount for e in change.entries if (e.account, e.currency) == ("dust", "USDT")]
        self.cash = change.cash
        self.books = CoinBooks(
            position=change.position,
            dust=self.books.dust + change.dust,
            dust_cost=self.books.dust_cost + Notional(sum(dust, D(0))),
        )
        self._post(change.entries, change.trade)

    @precondition(lambda self: self.has)
    @rule(part=PARTS)
    def lose(self, part: Decimal) -> None:
        """Lose a part of the coins, or all of them."""
        lost, before = to_scale(self.has * part), self.books
        if lost:
            loss = lose_coins(BTC, before, lost, STEPS, NOW_MS)
            self.books, self.lost = loss.left, self.lost + lost
            of_dust = [e for e in loss.entries if (e.account, e.amount < 0) == ("dust", True)]
            gone = [Notional(-e.amount) for e in of_dust if e.currency == "USDT"]
            self.lost_dust += sum(gone, Notional(0))
            self._post(loss.entries, loss.trade)

    @rule(part=st.decimals("0.0001", "0.1", places=6))
    def lose_cash(self, part: Decimal) -> None:
        """Lose USDT."""
        lost = to_scale(self.cash * part)
        if lost > 0:
            self.cash, self.lost_cash = self.cash - lost, self.lost_cash + lost
            self._post(lost_cash_entries(lost), None)

    @rule(more=QUANTITIES)
    def lose_more_than_there_is(self, more: Quantity) -> None:
        """Of what is not there nothing is lost."""
        with pytest.raises(LedgerBroken):
            lose_coins(BTC, self.books, self.has + more, STEPS, NOW_MS)

    def _post(self, entries: tuple[Entry, ...], trade: Trade | None) -> None:
        must_balance(entries)
        assert all(line.amount for line in entries)
        self.entries += entries
        self.trades += [trade] if trade else []

    @invariant()
    def the_ledger_says_what_is_there_and_what_is_lost(self) -> None:
        sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for line in self.entries:
            sums[line.account, line.currency] += line.amount
        position = self.books.position
        assert sums["cash", "USDT"] == self.cash.number
        assert sums[f"position:{BTC}", "BTC"] == (position.quantity.number if position else 0)
        assert sums[f"position:{BTC}", "USDT"] == (position.cost.number if position else 0)
        assert sums["dust", "BTC"] == self.books.dust.number
        assert sums["dust", "USDT"] == self.books.dust_cost.number
        assert sums["lost", "BTC"] == self.lost.number
        assert sums["lost", "USDT"] >= self.lost_cash.number
        for currency in ("USDT", "BTC"):
            assert sum(amount for (_, kept), amount in sums.items() if kept == currency) == 0

    @invariant()
    def coins_are_what_was_bought_less_what_was_sold_and_lost(self) -> None:
        assert self.has == self.bought - self.sold - self.lost

    @invariant()
    def what_is_held_can_be_closed(self) -> None:
        position = self.books.position
        assert position is None or STEPS.is_tradable(position.quantity)

    @invariant()
    def profit_is_what_cash_has_gained_besides_what_was_lost_of_it(self) -> None:
        """What is lost of a position is in its trade, at cost; dust counted as worth its cost."""
        held = self.books.position
        under_way = held.received - held.paid if held else Notional(0)
        profit = sum((trade.net_pnl for trade in self.trades), Notional(0))
        dust = self.books.dust_cost + self.lost_dust
        assert self.cash - CAPITAL + self.lost_cash == profit + under_way - dust


TestLosing = pytest.mark.critical(Losing.TestCase)
TestLosing.settings = settings(max_examples=examples(60), stateful_step_count=12, deadline=None)


def held(quantity: str = "0.1", price: str = "60000") -> Position:
    """A position without fees."""
    order = entry("b1", quantity=Quantity(quantity))
    change = settle(None, CAPITAL, order, fill(order, price, fee=D(0)), STEPS)
    assert change.position
    return change.position


def test_what_is_left_of_a_position_keeps_its_share_of_the_cost_and_its_prices() -> None:
    before = held()
    loss = lose_coins(BTC, CoinBooks(position=before), Quantity("0.04"), STEPS, NOW_MS)
    after = loss.left.position
    assert after
    assert (after.quantity, after.cost, loss.cost) == (
        Quantity("0.06"),
        Notional(3600),
        Notional(2400),
    )
    assert after.version == before.version + 1
    assert (after.stop_price, after.average_price) == (before.stop_price, before.average_price)
    assert loss.trade is None


def test_a_position_that_is_gone_ends_in_a_trade_that_has_lost_its_cost() -> None:
    before = held()
    loss = lose_coins(BTC, CoinBooks(position=before), Quantity("0.1"), STEPS, NOW_MS + 5)
    assert loss.left == CoinBooks(position=None)
    assert loss.trade
    assert (loss.trade.exit, loss.trade.closed_ms) == (Purpose.WRITE_OFF, NOW_MS + 5)
    assert loss.trade.net_pnl == Notional(-6000)
    assert loss.trade.exit_price == before.average_price


def test_what_is_left_and_too_little_to_sell_becomes_dust() -> None:
    loss = lose_coins(BTC, CoinBooks(position=held()), Quantity("0.0995"), STEPS, NOW_MS)
    assert (loss.left.position, loss.left.dust) == (None, Quantity("0.0005"))
    assert loss.left.dust_cost == Notional(30)
    assert loss.trade
    assert loss.trade.net_pnl == Notional(-5970)


def test_dust_goes_first() -> None:
    books = CoinBooks(position=held(), dust=Quantity("0.0004"), dust_cost=Notional(20))
    less = lose_coins(BTC, books, Quantity("0.0001"), STEPS, NOW_MS)
    assert less.left == books.model_copy(
        update={"dust": Quantity("0.0003"), "dust_cost": Notional(15)}
    )
    more = lose_coins(BTC, books, Quantity("0.0104"), STEPS, NOW_MS)
    assert more.left.position
    assert (more.left.position.quantity, more.left.dust) == (Quantity("0.09"), Quantity(0))
    assert more.cost == Notional(620)


AMOUNTS = st.dictionaries(st.sampled_from(["USDT", "BTC", "ETH"]), st.decimals(0, 9, places=6))


@given(claimed=AMOUNTS, has=AMOUNTS, owned=AMOUNTS)
def test_no_more_is_lost_than_is_missing_and_than_is_had(
    claimed: dict[str, Decimal], has: dict[str, Decimal], owned: dict[str, Decimal]
) -> None:
    lacks = lacks_of(claimed, has)
    lost = losses_of(lacks, owned)
    assert {lack.currency for lack in lacks} == {
        currency for currency, amount in claimed.items() if amount > has.get(currency, 0)
    }
    for currency, amount in lost.items():
        missing = claimed[currency] - has.get(currency, D(0))
        assert 0 < amount == min(missing, owned[currency])


def test_what_is_missing_is_rounded_up_where_the_account_has_more_digits_than_the_books() -> None:
    lack = Lack(currency="BTC", claimed=D(1), held=D("0.9999999999999999999"))
    assert losses_of([lack], {"BTC": D(1)}) == {"BTC": D("1E-18")}
    assert losses_of([lack], {"ETH": D(1)}) == {}


def test_what_is_owned_is_cash_and_coins_with_dust() -> None:
    dust = {BTC: Quantity("0.01"), ETH: Quantity(2)}
    books = Portfolio(cash=Notional(5), positions={BTC: held()}, dust=dust)
    assert books.owned() == {"USDT": D(5), "BTC": D("0.11"), "ETH": D(2)}
