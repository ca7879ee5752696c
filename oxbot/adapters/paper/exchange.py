"""Paper orders: filled at once from the venue's order book, or where they rested."""

from decimal import Decimal
from typing import Final

from oxbot.domain.book import Book
from oxbot.domain.errors import InputError, VenueRefused, VenueUnavailable
from oxbot.domain.market import ClockReading, Instrument
from oxbot.domain.matching import rested, walk
from oxbot.domain.orders import Fill, Order, Side
from oxbot.ports import MarketFeed

DEPTH: Final = 100
"""Levels of the book that an order may walk."""


class PaperExchange:
    """An exchange of real books and paper orders; it keeps nothing outside the ledger.

    Orders do not move the real book: two that come at once both find it whole.

    Args:
        feed: Where books and instruments come from.
        fee_rate: Taker fee as a fraction of the trade (0.001 is 10 bp).
        price_age_ms: The oldest book to fill from, in ms; scaled by the venue's clock.
    """

    def __init__(self, feed: MarketFeed, fee_rate: Decimal, *, price_age_ms: int = 15_000) -> None:
        self._feed = feed
        self._fee_rate = fee_rate
        self._price_age_ms = price_age_ms

    async def place(self, order: Order, now: ClockReading) -> list[Fill]:
        """Fill an order from a fresh book as far as its limit and the depth allow.

        One that rested is filled whole, at its price and time; no book is asked for.

        Raises:
            VenueRefused: The venue's rules forbid the order, or it has expired.
            VenueUnavailable: There is no book young enough, or it is crossed, or the coin is
                halted; nothing was traded.
        """
        _check_direction(order)
        try:
            instrument = (await self._feed.instruments([order.symbol]))[order.symbol]
            _check_steps(order, instrument)
            if order.resting is not None:
                return [rested(order, instrument, self._fee_rate)]
            _check_live(instrument)
            book = await self._feed.book(order.symbol, DEPTH, now)
        except InputError as error:
            raise VenueRefused(f"The order was refused: {error}") from error
        self._check_age(book, now)
        if order.expires_ms is not None and book.received_ms > order.expires_ms:
            raise VenueRefused(
                f"The order for {order.symbol} expired {book.received_ms - order.expires_ms} ms "
                "before it arrived; it did not trade."
            )
        return walk(order, book, instrument, self._fee_rate)

    async def look_up(self, order: Order) -> list[Fill] | None:  # noqa: ARG002 - the port's signature
        """Give None: a paper order that is not in the ledger has never traded."""
        return None

    def _check_age(self, book: Book, now: ClockReading) -> None:
        age_ms, limit_ms = book.age_ms(book.received_ms), now.scaled_ms(self._price_age_ms)
        if age_ms > limit_ms:
            raise VenueUnavailable(
                f"The venue's book of {book.symbol} is {age_ms} ms old; a paper order fills at "
                f"{limit_ms} ms at most. Nothing was traded."
            )


def _check_direction(order: Order) -> None:
    """Refuse to open a short: on spot nobody lends the coins that it would sell."""
    if order.side is Side.SELL and not order.purpose.is_exit:
        raise VenueRefused(
            f"{order.symbol} is traded on spot, where nothing can be sold short; a bot can sell "
            "only what it holds."
        )


def _check_live(instrument: Instrument) -> None:
    """Trade nothing while the exchange has halted the coin, whatever its book still shows."""
    if not instrument.live:
        raise VenueUnavailable(
            f"The exchange has halted {instrument.symbol}; a paper order for it waits until it "
            "trades again. Nothing was traded."
        )


def _check_steps(order: Order, instrument: Instrument) -> None:
    """Refuse what the real venue would: too small, off its lot, off its tick."""
    if order.quantity < instrument.minimum:
        raise VenueRefused(
            f"{order.quantity} {order.symbol} is below the minimum of {instrument.minimum}."
        )
    if instrument.whole_lots(order.quantity) != order.quantity:
        raise VenueRefused(
            f"{order.quantity} {order.symbol} is not a multiple of the lot of {instrument.lot}."
        )
    limit = order.limit_price
    if limit is not None and instrument.round_price_down(limit) != limit:
        raise VenueRefused(
            f"The limit of {limit} {order.symbol} is not a multiple of the tick of "
            f"{instrument.tick}."
        )
