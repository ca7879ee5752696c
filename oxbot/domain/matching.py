"""How a paper order trades against the book of the moment."""

from collections.abc import Iterator
from decimal import Decimal

from oxbot.domain.book import Book, Level
from oxbot.domain.market import QUOTE_CURRENCY, Instrument, base_of
from oxbot.domain.money import Price, to_scale
from oxbot.domain.orders import Fill, Order, Side


def crosses(order: Order, price: Price) -> bool:
    """Whether an order may trade at a price: always without a limit, else not beyond it."""
    if order.limit_price is None:
        return True
    return price <= order.limit_price if order.side is Side.BUY else price >= order.limit_price


def walk(order: Order, book: Book, instrument: Instrument, fee_rate: Decimal) -> list[Fill]:
    """Trade an immediate-or-cancel order against a book, level by level, up to its limit.

    What the book cannot give within the limit is cancelled: an empty list means all of it. Each
    level gives one fill. As at OKX spot, the fee of a buy is taken in the coin and that of a
    sell in USDT.

    Args:
        order: What to fill.
        book: What it meets; the fills carry its time of receipt.
        instrument: A level gives whole lots.
        fee_rate: Taker fee as a fraction of the trade (0.001 is 10 bp).
    """
    return [
        _fill(order, level, (number, book.received_ms), fee_rate)
        for number, level in enumerate(_taken(order, book, instrument), start=1)
    ]


def rested(
    order: Order, resting: Price, at_ms: int, instrument: Instrument, fee_rate: Decimal
) -> list[Fill]:
    """Fill an exit whole at the price at which it rested while nobody watched.

    No book of that time is known, so the price stands for it; on the tick that is worse.

    Args:
        order: What to fill.
        resting: The worse of stop and open, or the target, in USDT.
        at_ms: When it was reached, in venue ms.
        instrument: Gives the tick.
        fee_rate: As for `walk`.
    """
    sells = order.side is Side.SELL
    price = instrument.round_price_down(resting) if sells else instrument.round_price_up(resting)
    return [_fill(order, Level(price, order.quantity), (1, at_ms), fee_rate)]


def _taken(order: Order, book: Book, instrument: Instrument) -> Iterator[Level]:
    """Give what an order takes of each level."""
    left = order.quantity
    for level in book.asks if order.side is Side.BUY else book.bids:
        quantity = instrument.whole_lots(min(left, level.quantity))
        if not left or not crosses(order, level.price):
            return
        if quantity:
            left -= quantity
            yield Level(level.price, quantity)


def _fill(order: Order, level: Level, at: tuple[int, int], fee_rate: Decimal) -> Fill:
    """Make the fill of one level; `at` is its number within the order and its venue ms."""
    number, at_ms = at
    buys = order.side is Side.BUY
    in_coin = to_scale(level.quantity * fee_rate)
    in_cash = to_scale(to_scale(level.quantity * level.price) * fee_rate)
    return Fill(
        trade_id=f"paper-{order.id}-{number}",
        order_id=order.id,
        symbol=order.symbol,
        side=order.side,
        quantity=level.quantity,
        price=level.price,
        fee=in_coin.number if buys else in_cash.number,
        fee_currency=base_of(order.symbol) if buys else QUOTE_CURRENCY,
        at_ms=at_ms,
    )
