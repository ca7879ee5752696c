"""Live orders at OKX: sent once per claim, looked up wherever the answer is not certain.

`place` refuses only where OKX said no. Whatever else goes wrong after a request has left leaves
the outcome unknown: the order is looked up by our id, and only what OKX certainly never had may
be claimed and sent again. "Certainly" means: neither among its orders nor its history, read as
far back as the order was sent, asked after the request had expired and could have become visible,
and before OKX has forgotten what it traded. One that OKX cancelled before it traded anything is
forgotten after two hours; nothing has come of it, as if OKX never had it.

An id can be used again once its order is over. An order that was created before this one could
have been sent is another's.
"""

from functools import partial
from typing import Final

import structlog

from oxbot.adapters.okx.asked import Row, first, row_asked
from oxbot.adapters.okx.client import UNREADABLE
from oxbot.adapters.okx.order_errors import (
    forgotten,
    not_shown,
    order_failure,
    order_id_of,
    unknown,
)
from oxbot.adapters.okx.order_rows import created_ms, fills_of, must_be, order_body
from oxbot.adapters.okx.parse import inst_id_of
from oxbot.adapters.okx.stops import GRACE_MS, OkxStops
from oxbot.domain.errors import InputError, VenueRefused
from oxbot.domain.market import ClockReading, Instrument
from oxbot.domain.orders import FENCE_MS, Fill, Order, OrderState, Side
from oxbot.domain.resting import SIGNED_FOR_MS

ALL_KEPT_MS: Final = 3_600_000
"""Milliseconds for which OKX's history surely has whatever is over; half of what OKX says."""

ENDED_KEPT_MS: Final = 3 * 3_600_000
"""Milliseconds after which OKX has surely forgotten what it cancelled before it traded: it says
two hours. What is shown nowhere then is not alive, and has traded nothing."""

TRADED_KEPT_MS: Final = 85 * 86_400_000
"""Milliseconds for which OKX's archive and list of fills surely have what has traded.

OKX says three months, of which the shortest have 89 days.
"""

TAKEN: Final = "it was acknowledged and cannot be seen yet"

_log = structlog.get_logger(__name__)


class OkxExchange(OkxStops):
    """`LiveExchange` for one account at OKX.

    Args:
        account: The account.
        feed: Where instruments come from.
        clock: The venue's time.
        now_ms: Ms of a clock that is never set.
    """

    async def place(self, order: Order, now: ClockReading) -> None:  # noqa: ARG002 - the port's
        """Send a claimed order; OKX has acknowledged it when this returns.

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
            answer = await self._account.send(body, _expires_ms(order, order.fence_ms))
        except UNREADABLE as error:
            raise order_failure(error) from error
        _log.info("order acknowledged", order=order.id, okx=order_id_of(answer))

    async def _instrument(self, order: Order) -> Instrument:
        """Give the steps of an order's coin; VenueRefused where OKX lists it no more."""
        try:
            return (await self._feed.instruments([order.symbol]))[order.symbol]
        except InputError as error:
            raise VenueRefused(f"The order was not sent: {error}") from error

    async def look_up(self, order: Order) -> list[Fill] | None:
        """Give the fills of an order that was sent; None when OKX certainly never had it.

        None is also given where it was claimed without a fence: such a claim sends nothing. It is
        never given of an order that OKX has said to have taken: where OKX shows that one nowhere,
        and would if it were alive or had traded anything, it was cancelled before it did.

        Raises:
            OutcomeUnknown: Nobody can know yet, or any more.
        """
        if order.fence_ms is None:
            return None
        asked = await self._clock.reading()
        sent_ms = _sent_ms(order.fence_ms, asked)
        age_ms = asked.venue_ms - sent_ms
        row = await self._row(order, sent_ms) or await self._listed(order, sent_ms, age_ms)
        if row is not None:
            return await self._traded(order, row)
        known_ms = order.fence_ms + asked.scaled_ms(GRACE_MS)
        if asked.venue_ms <= known_ms:
            raise unknown(f"OKX may still take it for {known_ms - asked.venue_ms} ms")
        if age_ms > TRADED_KEPT_MS:
            raise forgotten(order.id)
        if order.state is not OrderState.OPEN:
            return None
        if age_ms > ENDED_KEPT_MS:
            return []
        raise not_shown(TAKEN)

    async def _row(self, order: Order, sent_ms: int) -> Row | None:
        """Give OKX's row of an order that was not sent before; None where it has none."""
        call = self._account.order(inst_id_of(order.symbol), order.id)
        row = await row_asked(call, "one order")
        return None if row is None or created_ms(row) < sent_ms else row

    async def _listed(self, order: Order, sent_ms: int, age_ms: int) -> Row | None:
        """Look where an order may be that cannot be asked for yet, or no more."""

        def is_older(row: Row) -> bool:
            return created_ms(row) < sent_ms

        def is_mine(row: Row) -> bool:
            return row.get("clOrdId") == order.id and not is_older(row)

        lists = [self._account.pending, self._account.history]
        lists += [self._account.archive] if age_ms > ALL_KEPT_MS else []
        asks = (partial(ask, inst_id_of(order.symbol)) for ask in lists)
        return await first(asks, "ordId", is_mine, is_older)

    async def _traded(self, order: Order, row: Row) -> list[Fill]:
        """Give the fills of an order that is over, all of them.

        Raises:
            OutcomeUnknown: It is not over, or not all of its fills can be seen yet.
        """
        must_be(order, row)
        return await self._executions(order.symbol, row, partial(fills_of, order))


def _expires_ms(order: Order, fence_ms: int) -> int:
    """Give until when (venue ms) OKX may take it: by then it must be known, or it is not wanted."""
    return fence_ms if order.expires_ms is None else min(fence_ms, order.expires_ms)


def _sent_ms(fence_ms: int, now: ClockReading) -> int:
    """Give since when (venue ms) OKX can have taken an order whose request had this fence.

    OKX takes nothing that is signed with a time further from its own than `SIGNED_FOR_MS`: by so
    much the clock can have been off by which it was claimed.
    """
    return fence_ms - now.scaled_ms(FENCE_MS) - SIGNED_FOR_MS
