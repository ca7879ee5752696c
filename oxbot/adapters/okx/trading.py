"""Live orders at OKX: sent once per claim, looked up wherever the answer is not certain.

`place` refuses only where OKX said no. Whatever else goes wrong after a request has left leaves
the outcome unknown: the order is looked up by our id, and only what OKX certainly never had may
be claimed and sent again. "Certainly" means: neither among its orders nor its history, asked
after the request had expired and could have become visible.
"""

from functools import partial

import structlog

from oxbot.adapters.okx.asked import Row, row_asked, rows_asked
from oxbot.adapters.okx.client import UNREADABLE
from oxbot.adapters.okx.order_errors import order_failure, order_id_of, unknown
from oxbot.adapters.okx.order_rows import fills_of, must_be, order_body
from oxbot.adapters.okx.parse import inst_id_of
from oxbot.adapters.okx.stops import GRACE_MS, OkxStops
from oxbot.domain.errors import InputError, VenueRefused
from oxbot.domain.market import ClockReading, Instrument
from oxbot.domain.orders import Fill, Order, Side

_log = structlog.get_logger(__name__)


class OkxExchange(OkxStops):
    """`LiveExchange` for one account at OKX.

    Args:
        account: The account.
        feed: Where instruments come from.
        clock: The venue's time.
        now_ms: Ms of a clock that is never set.
    """

    async def place(self, order: Order, now: ClockReading) -> list[Fill]:  # noqa: ARG002 - the fence says until when
        """Send a claimed order and give its fills; an empty list means cancelled.

        Raises:
            VenueRefused: Final; the order did not and will not trade.
            OutcomeUnknown: It may have traded; only `look_up` may follow.
            VenueUnavailable: It was certainly not sent.
        """
        if order.fence_ms is None:
            raise ValueError(f"only an order that was claimed with a fence is sent: {order}")
        if order.side is Side.SELL and not order.purpose.is_exit:
            raise VenueRefused(f"{order.symbol} is traded on spot, where nothing is sold short.")
        body = order_body(order, await self._instrument(order))
        try:
            answer = await self._account.send(body, order.fence_ms)
        except UNREADABLE as error:
            raise order_failure(error) from error
        _log.info("order acknowledged", order=order.id, okx=order_id_of(answer))
        row = await self._row(order)
        if row is None:
            raise unknown("it was acknowledged and cannot be seen yet")
        return await self._traded(order, row)

    async def _instrument(self, order: Order) -> Instrument:
        """Give the steps of an order's coin; VenueRefused where OKX lists it no more."""
        try:
            return (await self._feed.instruments([order.symbol]))[order.symbol]
        except InputError as error:
            raise VenueRefused(f"The order was not sent: {error}") from error

    async def look_up(self, order: Order) -> list[Fill] | None:
        """Give the fills of an order that was sent; None when OKX certainly never had it.

        Raises:
            OutcomeUnknown: Nobody can know yet.
        """
        asked = await self._clock.reading()
        row = await self._row(order) or await self._in_history(order)
        if row is not None:
            return await self._traded(order, row)
        known_ms = (order.fence_ms or 0) + asked.scaled_ms(GRACE_MS)
        if asked.venue_ms <= known_ms:
            raise unknown(f"OKX may still take it for {known_ms - asked.venue_ms} ms")
        return None

    async def _row(self, order: Order) -> Row | None:
        """Give OKX's row of an order; None where it says that there is none."""
        call = self._account.order(inst_id_of(order.symbol), order.id)
        return await row_asked(call, "one order")

    async def _in_history(self, order: Order) -> Row | None:
        """Look where an order may be that cannot be asked for yet, or no more."""
        inst_id = inst_id_of(order.symbol)
        for ask in (self._account.pending, self._account.history):
            for row in await rows_asked(ask(inst_id)):
                if isinstance(row, dict) and row.get("clOrdId") == order.id:
                    return row
        return None

    async def _traded(self, order: Order, row: Row) -> list[Fill]:
        """Give the fills of an order that is over, all of them.

        Raises:
            OutcomeUnknown: It is not over, or not all of its fills can be seen yet.
        """
        must_be(order, row)
        return await self._executions(order.symbol, row, partial(fills_of, order))
