"""Open positions at the newest prices known: what each would come to if it were closed now."""

from collections.abc import Mapping
from decimal import Decimal

from oxbot.domain.bot import Mode
from oxbot.domain.errors import StoreUnavailable
from oxbot.domain.market import Quote
from oxbot.domain.money import Notional, Price, Quantity, to_scale
from oxbot.domain.portfolio import Direction
from oxbot.domain.values import Value
from oxbot.ports import PriceBoard
from oxbot.ports.held import HeldPositions
from oxbot.records.held import HeldPosition
from oxbot.records.reading import Page, Part


class OpenPosition(Value):
    """A position of a bot: quantity in coins, prices and amounts in USDT, times in venue ms.

    `price` is what it could be closed at, as of `price_ms` by `price_source`; None where nobody
    has seen one. `unrealised` is the gain or loss by that price before fees. `net_pnl` is what the
    round trip comes to if it is closed there: `closing_fee` and all fees so far are paid.
    `trail_price` is where a trailing stop lies, `resting_stop` the id of the stop that a live
    position has at the exchange.
    """

    bot_id: str
    symbol: str
    mode: Mode
    venue: str
    direction: Direction
    quantity: Quantity
    cost: Notional
    average_price: Price
    stop_price: Price
    target_price: Price
    trail_price: Price | None
    resting_stop: str | None
    opened_ms: int
    price: Price | None = None
    price_ms: int | None = None
    price_source: str | None = None
    unrealised: Notional | None = None
    closing_fee: Notional | None = None
    net_pnl: Notional | None = None


class Prices:
    """Where the newest prices of a venue are, and what closing costs.

    Args:
        venue: The only one whose prices are there.
        board: Has them; None where nobody keeps any.
        fee_rate: Of the exchange, a fraction of what is traded.
    """

    def __init__(self, venue: str, board: PriceBoard | None, fee_rate: Decimal) -> None:
        self.fee_rate = fee_rate
        self._venue = venue
        self._board = board

    async def of(self, held: tuple[HeldPosition, ...]) -> Mapping[str, Quote]:
        """Give the newest price of each coin of this venue; none while the board is away."""
        symbols = sorted({one.position.symbol for one in held if one.venue == self._venue})
        try:
            return await self._board.get(self._venue, symbols) if self._board else {}
        except StoreUnavailable:
            return {}

    def newest(self, held: HeldPosition, board: Mapping[str, Quote]) -> Quote | None:
        """Give the newer one of the board's price and the one that the bot saw."""
        shown = board.get(held.position.symbol) if held.venue == self._venue else None
        known = [quote for quote in (held.seen, shown) if quote is not None]
        return max(known, key=lambda quote: quote.exchange_ms, default=None)


async def open_positions(
    record: HeldPositions, prices: Prices, owner: str | None, part: Part, bot_id: str | None = None
) -> Page[OpenPosition]:
    """Give the positions of one owner, of all (None), or of one bot, the last opened first.

    Raises:
        InputError: The cursor is none of this list.
        StoreUnavailable: PostgreSQL does not answer.
    """
    page = await record.positions(owner, part, bot_id)
    board = await prices.of(page.items)
    shown = (_open(held, prices.newest(held, board), prices.fee_rate) for held in page.items)
    return Page(items=tuple(shown), next=page.next)


def _open(held: HeldPosition, quote: Quote | None, fee_rate: Decimal) -> OpenPosition:
    position = held.position
    shown = OpenPosition(
        bot_id=held.bot_id,
        symbol=position.symbol,
        mode=held.mode,
        venue=held.venue,
        direction=position.direction,
        quantity=position.quantity,
        cost=position.cost,
        average_price=position.average_price,
        stop_price=position.stop_price,
        target_price=position.target_price,
        trail_price=position.trail_price,
        resting_stop=held.resting_stop,
        opened_ms=position.opened_ms,
    )
    return shown if quote is None else shown.model_copy(update=_closed_at(held, quote, fee_rate))


def _closed_at(held: HeldPosition, quote: Quote, fee_rate: Decimal) -> dict[str, object]:
    """Give what closing all of it at this price would come to."""
    position = held.position
    worth = quote.worth(position.quantity)
    fee = to_scale(abs(worth) * fee_rate)
    return {
        "price": quote.closing_price(position.quantity),
        "price_ms": quote.exchange_ms,
        "price_source": quote.source,
        "unrealised": worth - position.cost,
        "closing_fee": fee,
        "net_pnl": position.received + worth - fee - position.paid,
    }
