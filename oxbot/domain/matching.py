"""How a paper order fills against a quote."""

from decimal import Decimal

from oxbot.domain.market import QUOTE_CURRENCY, Quote, base_of
from oxbot.domain.money import Price, to_scale
from oxbot.domain.orders import Fill, Order, Side


def touch(quote: Quote, side: Side) -> Price:
    """Give the price at which a market order of this side trades: ask or bid."""
    return quote.ask if side is Side.BUY else quote.bid


def crosses(order: Order, price: Price) -> bool:
    """Whether an order may trade at a price: always without a limit, else not beyond it."""
    if order.limit_price is None:
        return True
    return price <= order.limit_price if order.side is Side.BUY else price >= order.limit_price


def fill_at_touch(order: Order, quote: Quote, fee_rate: Decimal, at_ms: int) -> Fill | None:
    """Fill an immediate-or-cancel order at bid or ask, whole, or not at all.

    As at OKX spot, the fee of a buy is taken in the coin and that of a sell in USDT.

    Args:
        order: What to fill.
        quote: The current prices.
        fee_rate: Taker fee as a fraction of the trade (0.001 is 10 bp).
        at_ms: Venue time of the trade.
    """
    price = touch(quote, order.side)
    if not crosses(order, price):
        return None
    buys = order.side is Side.BUY
    in_coin = to_scale(order.quantity * fee_rate)
    in_cash = to_scale(to_scale(order.quantity * price) * fee_rate)
    return Fill(
        trade_id=f"paper-{order.id}-1",
        order_id=order.id,
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        price=price,
        fee=in_coin.number if buys else in_cash.number,
        fee_currency=base_of(order.symbol) if buys else QUOTE_CURRENCY,
        at_ms=at_ms,
    )
