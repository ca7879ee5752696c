"""Paper orders: filled at once at the venue's bid or ask, as an exchange would."""

from decimal import Decimal

from oxbot.domain.errors import InputError, VenueRefused, VenueUnavailable
from oxbot.domain.market import ClockReading, Instrument, Quote
from oxbot.domain.matching import fill_at_touch
from oxbot.domain.orders import Fill, Order, Side
from oxbot.ports import MarketFeed


class PaperExchange:
    """An exchange of real prices and paper orders; it keeps nothing outside the ledger.

    Args:
        feed: Where prices and instruments come from.
        fee_rate: Taker fee as a fraction of the trade (0.001 is 10 bp).
        price_age_ms: The oldest price to fill at, in ms; scaled by the venue's clock.
    """

    def __init__(self, feed: MarketFeed, fee_rate: Decimal, *, price_age_ms: int = 15_000) -> None:
        self._feed = feed
        self._fee_rate = fee_rate
        self._price_age_ms = price_age_ms

    async def place(self, order: Order, now: ClockReading) -> list[Fill]:
        """Fill an order whole at a fresh bid or ask, or not at all when its limit is beyond.

        Raises:
            VenueRefused: The venue's rules forbid the order, or it has expired.
            VenueUnavailable: There is no price young enough; nothing was traded.
        """
        _check_direction(order)
        _check_steps(order, await self._instrument(order))
        [quote] = await self._feed.quotes([order.symbol], now)
        self._check_age(quote, now)
        if order.expires_ms is not None and quote.received_ms > order.expires_ms:
            raise VenueRefused(
                f"The order for {order.symbol} expired {quote.received_ms - order.expires_ms} ms "
                "before it arrived; it did not trade."
            )
        fill = fill_at_touch(order, quote, self._fee_rate, quote.received_ms)
        return [fill] if fill else []

    async def look_up(self, order: Order) -> list[Fill] | None:  # noqa: ARG002 - the port's signature
        """Give None: a paper order that is not in the ledger has never traded."""
        return None

    async def _instrument(self, order: Order) -> Instrument:
        try:
            return (await self._feed.instruments([order.symbol]))[order.symbol]
        except InputError as error:
            raise VenueRefused(f"The order was refused: {error}") from error

    def _check_age(self, quote: Quote, now: ClockReading) -> None:
        age_ms, limit_ms = quote.age_ms(quote.received_ms), now.scaled_ms(self._price_age_ms)
        if age_ms > limit_ms:
            raise VenueUnavailable(
                f"The venue's price of {quote.symbol} is {age_ms} ms old; a paper order fills at "
                f"{limit_ms} ms at most. Nothing was traded."
            )


def _check_direction(order: Order) -> None:
    """Refuse to open a short: on spot nobody lends the coins that it would sell."""
    if order.side is Side.SELL and not order.purpose.is_exit:
        raise VenueRefused(
            f"{order.symbol} is traded on spot, where nothing can be sold short; a bot can sell "
            "only what it holds."
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
