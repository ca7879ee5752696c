"""Positions and ledger: any sequence of trades adds up to the last digit."""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from oxbot.domain.bot import BotSettings
from oxbot.domain.errors import LedgerBroken
from oxbot.domain.ledger import Entry, deposit_entries, must_balance
from oxbot.domain.market import Instrument
from oxbot.domain.money import Notional, Price, Quantity, to_scale
from oxbot.domain.orders import Fill, Order, Purpose, Side
from oxbot.domain.portfolio import Direction, Portfolio, Position, Trade
from oxbot.domain.settlement import settle
from tests.support.trading import BTC, ETH, entry, fill, leave, quote

pytestmark = pytest.mark.critical

CAPITAL, NO_COINS = Notional(10**12), Quantity(0)
STEPS = Instrument(
    symbol=BTC, tick=Price("0.01"), lot=Quantity("0.0001"), minimum=Quantity("0.001")
)
QUANTITIES = st.decimals("0.0001", 1000, places=8)
PRICES = st.decimals("0.01", 10**6, places=4)


@dataclass(frozen=True)
class Deal:
    """A buy of so many coins, or a sell of a part of what is held; None: of all lots."""

    buys: bool
    quantity: Quantity
    price: Price
    fee_in_coin: bool
    fee_rate: Decimal
    part: Decimal | None


def buy(quantity: str, price: str, fee_rate: str = "0", *, in_coin: bool = False) -> Deal:
    return Deal(
        buys=True,
        quantity=Quantity(quantity),
        price=Price(price),
        fee_in_coin=in_coin,
        fee_rate=Decimal(fee_rate),
        part=None,
    )


def sell(price: str, fee_rate: str = "0", part: str | None = None) -> Deal:
    return Deal(
        buys=False,
        quantity=Quantity(1),
        price=Price(price),
        fee_in_coin=False,
        fee_rate=Decimal(fee_rate),
        part=Decimal(part) if part else None,
    )


DEALS = st.lists(
    st.builds(
        Deal,
        buys=st.booleans(),
        quantity=QUANTITIES.map(Quantity),
        price=PRICES.map(Price),
        fee_in_coin=st.booleans(),
        fee_rate=st.decimals(0, "0.01", places=5),
        part=st.none() | st.decimals("0.01", 1, places=6),
    ),
    max_size=12,
)


@dataclass
class Books:
    """Books that follow deals by `settle` alone."""

    cash: Notional = CAPITAL
    position: Position | None = None
    dust: Quantity = NO_COINS
    entries: list[Entry] = field(default_factory=lambda: list(deposit_entries(CAPITAL)))
    trades: list[Trade] = field(default_factory=list)

    def follow(self, deal: Deal) -> None:
        order, traded = self._order(deal), None
        if order is None:
            return
        traded = self._fill(order, deal)
        change = settle(self.position, self.cash, order, traded, STEPS)
        must_balance(change.entries)
        self.cash, self.position = change.cash, change.position
        self.dust += change.dust
        self.entries += change.entries
        self.trades += [change.trade] if change.trade else []

    def _order(self, deal: Deal) -> Order | None:
        if deal.buys:
            return entry("b1", quantity=deal.quantity)
        held = self.position.quantity if self.position else Quantity(0)
        wanted = STEPS.whole_lots(held * (deal.part or 1))
        return leave("b1", 1, str(wanted)) if wanted else None

    def _fill(self, order: Order, deal: Deal) -> Fill:
        in_coin = deal.buys and deal.fee_in_coin
        of_coins = to_scale(order.quantity * deal.fee_rate)
        of_cash = to_scale(order.quantity * deal.price * deal.fee_rate)
        return fill(
            order,
            str(deal.price),
            fee=of_coins.number if in_coin else of_cash.number,
            fee_currency="BTC" if in_coin else "USDT",
        )

    def sums(self) -> dict[tuple[str, str], Decimal]:
        sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for line in self.entries:
            sums[line.account, line.currency] += line.amount
        return sums


@given(DEALS)
def test_any_sequence_of_deals_keeps_ledger_cash_and_position_in_step(deals: list[Deal]) -> None:
    books = Books()
    for deal in deals:
        books.follow(deal)
        sums, held = books.sums(), books.position
        assert sums["cash", "USDT"] == books.cash
        assert sums[f"position:{BTC}", "USDT"] == (held.cost if held else 0)
        assert sums[f"position:{BTC}", "BTC"] == (held.quantity if held else 0)
        assert sums["dust", "BTC"] == books.dust
        assert held is None or (held.quantity > 0 and held.cost >= 0)
        assert books.dust >= 0
        assert sum(amount for (_, coin), amount in sums.items() if coin == "USDT") == 0


@given(DEALS)
def test_profit_of_all_round_trips_is_the_change_of_cash_and_what_is_left(
    deals: list[Deal],
) -> None:
    books = Books()
    for deal in [*deals, sell("7.77", "0.001")]:
        books.follow(deal)
    sums, held = books.sums(), books.position
    open_result = held.received - held.paid if held else Notional(0)
    profit = sum((trade.net_pnl for trade in books.trades), Notional(0))
    assert books.cash - CAPITAL == profit + open_result - Notional(sums["dust", "USDT"])


@given(QUANTITIES.filter(lambda q: q >= 1), PRICES, PRICES, st.booleans())
def test_selling_everything_leaves_no_residue_in_the_position(
    quantity: Decimal,
    low: Decimal,
    high: Decimal,
    in_coin: bool,  # noqa: FBT001 - hypothesis gives arguments by position
) -> None:
    books = Books()
    books.follow(buy(str(quantity), str(low), "0.001", in_coin=in_coin))
    books.follow(sell(str(high), "0.001", "0.37"))
    books.follow(sell(str(high), "0.001"))
    sums = books.sums()
    assert books.position is None
    assert sums[f"position:{BTC}", "USDT"] == sums[f"position:{BTC}", "BTC"] == 0
    assert books.dust < STEPS.lot
    assert len(books.trades) == 1


@pytest.mark.parametrize(
    ("rest", "becomes_dust"), [("0.0009999", True), ("0.001", False), ("0.00109", False)]
)
def test_a_rest_below_the_minimum_in_whole_lots_is_dust(rest: str, *, becomes_dust: bool) -> None:
    books = Books()
    quantity = 1 + Decimal(rest)
    books.follow(buy(str(quantity), "100"))
    assert books.position
    change = settle(books.position, books.cash, *_sale("1", "100"), STEPS)
    assert (change.position is None) is becomes_dust
    assert change.dust == (Decimal(rest) if becomes_dust else 0)
    assert (change.trade is not None) is becomes_dust


def _sale(quantity: str, price: str) -> tuple[Order, Fill]:
    order = leave("b1", 2, quantity)
    return order, fill(order, price)


def test_the_average_of_several_fills_carries_stop_and_target() -> None:
    books = Books()
    for price in ("100", "110"):
        books.follow(buy("1", price, "0.001", in_coin=True))
    assert books.position
    assert books.position.average_price == 105
    assert books.position.stop_price == Decimal("101.325")
    assert books.position.target_price == Decimal("112.35")
    assert books.position.quantity == Decimal("1.998")
    assert books.position.version == 2


def test_a_sale_of_more_than_is_held_breaks_the_ledger() -> None:
    with pytest.raises(LedgerBroken, match="only 0 are held"):
        settle(None, CAPITAL, *_sale("1", "100"), STEPS)


def test_a_position_without_stop_and_target_is_never_opened() -> None:
    order = entry("b1", stop=None)
    with pytest.raises(LedgerBroken, match="no stop or target"):
        settle(None, CAPITAL, order, fill(order), STEPS)


@pytest.mark.parametrize(
    ("side", "currency"), [(Side.BUY, "OKB"), (Side.SELL, "BTC"), (Side.SELL, "OKB")]
)
def test_a_fee_that_the_ledger_cannot_value_is_not_booked(side: Side, currency: str) -> None:
    order = entry("b1") if side is Side.BUY else leave("b1", 1, "1")
    with pytest.raises(LedgerBroken, match="fee"):
        settle(None, CAPITAL, order, fill(order, fee_currency=currency), STEPS)


def test_what_does_not_sum_to_zero_is_no_posting() -> None:
    lines = [
        *deposit_entries(Notional(5)),
        Entry(account="fees", currency="BTC", amount=Decimal(1)),
    ]
    with pytest.raises(LedgerBroken, match="BTC"):
        must_balance(lines)


def test_amounts_of_thirty_digits_are_still_added_exactly() -> None:
    """Decimal's default context would round them to 28."""
    order = entry("b1", quantity=Quantity("999999999999999999.1"))
    bought = fill(order, "0.000000000001", fee=Decimal("0.000000000001"))
    change = settle(None, Notional(10**7), order, bought, STEPS)
    assert change.position
    assert change.position.quantity == Decimal("999999999999999999.099999999999")


def test_equity_is_cash_and_holdings_at_bid_and_exposure_counts_what_is_pending() -> None:
    books = Books(cash=Notional(1000))
    books.follow(buy("2", "100"))
    assert books.position
    portfolio = Portfolio(
        cash=books.cash,
        reserved=Notional(50),
        positions={BTC: books.position},
        dust={ETH: Quantity("0.5")},
    )
    quotes = {BTC: quote(bid="110"), ETH: quote(ETH, "10")}
    assert portfolio.equity(quotes) == 800 + 220 + 5
    assert portfolio.exposure(quotes) == 220 + 50
    assert portfolio.equity({}) == 800 + 200


def test_a_trade_tells_the_whole_round_trip() -> None:
    books = Books()
    books.follow(buy("1", "100", "0.001"))
    books.follow(sell("90", "0.001"))
    (trade,) = books.trades
    assert [trade.entry_price, trade.exit_price, trade.quantity] == [
        Decimal(n) for n in (100, 90, 1)
    ]
    assert trade.fees == Decimal("0.19")
    assert trade.net_pnl == Decimal("-10.19")
    assert trade.exit is Purpose.STOP


def test_a_trade_of_several_exits_is_closed_at_their_average() -> None:
    opened = settle(None, Notional(1000), *_purchase("3", "100"), STEPS)
    half = settle(opened.position, opened.cash, *_free_sale("1", "90"), STEPS)
    closed = settle(half.position, half.cash, *_free_sale("2", "81"), STEPS)
    assert closed.trade
    assert (closed.trade.exit_price, closed.trade.net_pnl) == (Price(84), Notional(-48))


def test_an_entry_that_brought_too_little_to_be_closed_is_dust() -> None:
    order, whole = _purchase("0.0009", "100")
    change = settle(None, Notional(1000), order, whole, STEPS)
    assert (change.position, change.dust) == (None, Quantity("0.0009"))
    assert change.trade
    assert (change.trade.exit, change.trade.net_pnl) == (Purpose.ENTRY, Notional(0))
    more_follows = settle(None, Notional(1000), order, whole, STEPS, last=False)
    assert more_follows.position


def _free_sale(quantity: str, price: str) -> tuple[Order, Fill]:
    order = leave("b1", 2, quantity)
    return order, fill(order, price, fee=Decimal(0))


def _purchase(quantity: str, price: str) -> tuple[Order, Fill]:
    order = entry("b1", quantity=Quantity(quantity))
    return order, fill(order, price, fee=Decimal(0))


def short(quantity: str, price: str, fee: str = "0") -> tuple[Order, Fill]:
    order = entry("b1", side=Side.SELL, quantity=Quantity(quantity))
    return order, fill(order, price, fee=Decimal(fee), fee_currency="USDT")


def cover(quantity: str, price: str, fee: str = "0", currency: str = "USDT") -> tuple[Order, Fill]:
    order = leave("b1", 2, quantity, side=Side.BUY)
    return order, fill(order, price, fee=Decimal(fee), fee_currency=currency)


def test_a_short_gains_what_the_price_has_fallen_by() -> None:
    opened = settle(None, Notional(1000), *short("2", "100", "0.2"), STEPS)
    assert opened.position
    assert (opened.position.quantity, opened.position.cost) == (Quantity(-2), Notional(-200))
    assert (opened.position.direction, opened.position.exit_side) == (Direction.SHORT, Side.BUY)
    assert opened.cash == Notional("1199.8")
    half = settle(opened.position, opened.cash, *cover("1", "90", "0.09"), STEPS)
    assert half.position
    assert (half.position.quantity, half.position.cost) == (Quantity(-1), Notional(-100))
    closed = settle(half.position, half.cash, *cover("1", "80", "0.08"), STEPS)
    assert closed.position is None
    assert closed.trade
    assert closed.trade.net_pnl == closed.cash - Notional(1000) == Notional("29.63")
    assert (closed.trade.direction, closed.trade.fees) == (Direction.SHORT, Notional("0.37"))
    realised = [e.amount for c in (half, closed) for e in c.entries if e.account == "realised"]
    assert realised == [-10, -20]


def test_what_a_short_still_owes_below_the_minimum_is_dust_with_a_sign() -> None:
    opened = settle(None, Notional(1000), *short("1", "100"), STEPS)
    closed = settle(opened.position, opened.cash, *cover("1", "100", "0.0005", "BTC"), STEPS)
    assert closed.position is None
    assert closed.dust == Quantity("-0.0005")
    assert closed.trade
    assert closed.trade.net_pnl == Notional("-0.05")
    owing = Portfolio(cash=closed.cash, dust={BTC: closed.dust})
    assert owing.equity({BTC: quote(bid="99.9")}) == closed.cash - Notional("0.05")


def test_a_short_is_stopped_above_its_entry_and_worth_what_closing_it_costs() -> None:
    opened = settle(None, Notional(1000), *short("2", "100"), STEPS)
    assert opened.position
    assert (opened.position.stop_price, opened.position.target_price) == (Price("103.5"), Price(93))
    owing = Portfolio(cash=opened.cash, positions={BTC: opened.position})
    at = {BTC: quote(bid="109.9")}
    assert owing.equity(at) == opened.cash - Notional(220)
    assert owing.exposure(at) == Notional(220)
    assert owing.equity({}) == Notional(1000)


def test_a_position_is_never_taken_through_zero_nor_entered_against() -> None:
    opened = settle(None, Notional(1000), *short("2", "100"), STEPS)
    with pytest.raises(LedgerBroken, match="only -2 are held"):
        settle(opened.position, opened.cash, *cover("2.0001", "100"), STEPS)
    order = entry("b1", quantity=Quantity(1))
    with pytest.raises(LedgerBroken, match="is short"):
        settle(opened.position, opened.cash, order, fill(order), STEPS)
    order = leave("b1", 3, "1")
    with pytest.raises(LedgerBroken, match="only -2 are held"):
        settle(opened.position, opened.cash, order, fill(order), STEPS)


def test_a_fee_of_as_many_coins_as_were_bought_is_not_booked() -> None:
    order = entry("b1", quantity=Quantity(1))
    with pytest.raises(LedgerBroken, match="fee of as many coins"):
        settle(None, CAPITAL, order, fill(order, fee=Decimal(1), fee_currency="BTC"), STEPS)


@pytest.mark.parametrize("size", [0, -1, "0E-18", "-0.00000001", "NaN", "Infinity", 10**30, 0.1])
@pytest.mark.parametrize("name", ["quantity", "price"])
def test_no_fill_has_a_size_or_a_price_that_is_none(name: str, size: object) -> None:
    sound = fill(entry("b1")).model_dump()
    with pytest.raises(ValidationError, match=name):
        Fill.model_validate({**sound, name: size})


@pytest.mark.parametrize("size", [0, -1, "0E-18", "-0.00000001", "NaN", "Infinity", 10**30, 0.1])
@pytest.mark.parametrize("name", ["quantity", "limit_price"])
def test_no_order_has_a_size_or_a_limit_that_is_none(name: str, size: object) -> None:
    with pytest.raises(ValidationError, match=name):
        Order.model_validate({**entry("b1").model_dump(), name: size})


@pytest.mark.parametrize("capital", [0, -1, "NaN", "Infinity", 10**30, 10**12 + 1, 1000.5])
def test_no_bot_begins_with_a_capital_that_is_none(capital: object) -> None:
    with pytest.raises(ValidationError, match="capital"):
        BotSettings.model_validate({"name": "Test", "capital": capital})
