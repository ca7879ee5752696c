"""Stops that rest at OKX.

A stop is absent only where OKX says so in every place, asked after the stop's fence and five
seconds more: it is signed with a time that OKX takes for thirty seconds, which end at the fence.
One that was once seen at rest is never absent: OKX keeps what has ended for months.

An id can be used again once its stop is over. One that rests counts more than one that is over
and has traded nothing; beside one that was triggered a person has to look. One that was over
before the stop was sent is another's.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Final

from oxbot.adapters.okx.algo_rows import (
    ALIVE,
    ENDED,
    KINDS,
    TRIGGERED,
    change_body,
    changed_ms,
    is_older,
    must_be_stop,
    over_as,
    refused_as,
    resting_as,
    stop_body,
    way_out,
)
from oxbot.adapters.okx.asked import Row, first, must_have_rows, row_asked
from oxbot.adapters.okx.client import UNREADABLE
from oxbot.adapters.okx.errors import code_of
from oxbot.adapters.okx.holdings import OkxHoldings
from oxbot.adapters.okx.order_errors import ALREADY_THERE, not_shown, order_failure, unknown
from oxbot.adapters.okx.order_rows import fill_of, text
from oxbot.adapters.okx.parse import inst_id_of
from oxbot.domain.errors import OutcomeUnknown, VenueRefused
from oxbot.domain.orders import Fill
from oxbot.domain.resting import (
    SIGNED_FOR_MS,
    RestingStop,
    SeenState,
    SeenStop,
    StopState,
    entry_id,
)

GRACE_MS: Final = 5_000
"""Milliseconds after its request expired until an order that OKX took must be visible."""

ALGO_ALREADY_THERE: Final = ALREADY_THERE | {"51065"}
"""OKX's codes for an algo order id that is taken by one that is alive."""

GONE: Final = frozenset({"51400", "51401", "51402", "51410", "51503", "51603"})
"""OKX's codes for an order that cannot be cancelled because it is over, or never was."""


NOWHERE: Final = "the stop was seen at rest, and OKX has it neither there nor among ended"


class OkxStops(OkxHoldings):
    """The part of `LiveExchange` that is about stops."""

    async def place_stop(self, stop: RestingStop) -> None:
        """Have a stop and target rest until `fence_ms` at the latest.

        Raises:
            VenueRefused: Final; nothing rests.
            OutcomeUnknown: It may rest; only `see_stop` may follow.
            VenueUnavailable: It was certainly not sent.
        """
        signed_ms = stop.fence_ms - SIGNED_FOR_MS
        try:
            answer = await self._account.send_stop(stop_body(stop), signed_ms)
        except UNREADABLE as error:
            if code_of(error) in ALGO_ALREADY_THERE:
                return
            raise order_failure(error) from error
        _must_name(answer, stop)

    async def see_stop(self, stop: RestingStop) -> SeenStop:
        """Look a stop up, with all that it has traded.

        Raises:
            OutcomeUnknown: Nobody can know yet; it names the stop.
            NotShown: The same of one that was taken, and that OKX should show by now.
        """
        with _naming(stop):
            return await self._look(stop)

    async def _look(self, stop: RestingStop) -> SeenStop:
        asked = await self._clock.reading()
        row = await self._newest(stop) or await self._ended(stop)
        if row is not None:
            return await self._seen(stop, row)
        left_ms = stop.fence_ms + asked.scaled_ms(GRACE_MS) - asked.venue_ms
        if stop.state is StopState.RESTING:
            if left_ms >= 0:
                raise unknown(f"the stop may take {left_ms} ms more to be seen")
            raise not_shown(NOWHERE)
        refused = await self._refused_with_entry(stop)
        if refused is not None:
            return refused
        if left_ms >= 0:
            raise unknown(f"the stop may still be taken for {left_ms} ms")
        return SeenStop(state=SeenState.ABSENT, reason="OKX never had it")

    async def _newest(self, stop: RestingStop) -> Row | None:
        """Ask for a stop by its id; where that one does not rest, look for one that does.

        Raises:
            OutcomeUnknown: There are two, of which one was triggered.
        """
        row = await row_asked(self._account.stop(stop.id), "one stop")
        if row is not None and text(row, "state") in ALIVE:
            return row
        if row is not None and is_older(stop, row):
            row = None
        inst_id = inst_id_of(stop.symbol)
        asks = (partial(self._account.stops_pending, kind, instId=inst_id) for kind in KINDS)
        resting = await _first(stop, asks)
        if row is not None and resting is not None and text(row, "state") in TRIGGERED:
            raise unknown("OKX has two stops of this id, one triggered and one at rest")
        return resting or row

    async def _ended(self, stop: RestingStop) -> Row | None:
        """Look among the stops that have ended."""
        inst_id = inst_id_of(stop.symbol)
        which = [(kind, state) for kind in KINDS for state in ENDED]
        return await _first(
            stop, (partial(self._account.stops_ended, *one, instId=inst_id) for one in which)
        )

    async def _refused_with_entry(self, stop: RestingStop) -> SeenStop | None:
        """Look whether the entry that should have brought a stop says that OKX refused it."""
        call = self._account.order(inst_id_of(stop.symbol), entry_id(stop.id))
        order = await row_asked(call, "one order")
        return None if order is None else refused_as(stop, order)

    async def _seen(self, stop: RestingStop, row: Row) -> SeenStop:
        must_be_stop(stop, row)
        state = text(row, "state")
        if state in ALIVE:
            return resting_as(row)
        if state in TRIGGERED:
            return await self._triggered(stop, row)
        if state in ENDED:
            return over_as(row)
        raise unknown(f"OKX says that the stop is {state!r}")

    async def _triggered(self, stop: RestingStop, row: Row) -> SeenStop:
        """Read what the order of a triggered stop has traded, all of it.

        Raises:
            OutcomeUnknown: It is not over, or not all of its fills can be seen yet.
        """
        inst_id, order_id = inst_id_of(stop.symbol), text(row, "ordId")
        order = await row_asked(self._account.order_of(inst_id, order_id), "one order")
        if order is None or order.get("ordId") != order_id:
            raise unknown("the order that the stop has become cannot be seen")
        fills = await self._executions(stop.symbol, order, partial(_fills_of, stop, order_id))
        return SeenStop(state=SeenState.TRIGGERED, purpose=way_out(row), fills=tuple(fills))

    async def amend_stop(self, stop: RestingStop) -> None:
        """Give a stop that rests the size and the prices that it has here.

        Raises:
            VenueRefused: It stays as it was, or is over.
            OutcomeUnknown: It may have been done.
        """
        try:
            answer = await self._account.amend_stop(change_body(stop))
        except UNREADABLE as error:
            if code_of(error) in GONE:
                raise VenueRefused(f"The stop of {stop.symbol} is over.") from error
            raise order_failure(error) from error
        _must_name(answer, stop)

    async def cancel_stop(self, stop: RestingStop) -> None:
        """Cancel a stop, by OKX's own id, so that a late request meets no other one.

        Raises:
            OutcomeUnknown: It may have been done.
        """
        row = await self._newest(stop)
        if row is None or text(row, "state") not in ALIVE:
            return
        must_be_stop(stop, row)
        call = self._account.cancel_stop(inst_id_of(stop.symbol), text(row, "algoId"))
        try:
            answer = await call
        except UNREADABLE as error:
            if code_of(error) in GONE:
                return
            failure = order_failure(error)
            raise unknown(str(failure).rstrip(".")) from error
        must_have_rows(answer, "a cancelled stop")


@contextmanager
def _naming(stop: RestingStop) -> Iterator[None]:
    """Have what is not known say of which stop it is: a person's word needs its id."""
    try:
        yield
    except OutcomeUnknown as error:
        raise type(error)(f"The stop {stop.id}: {error}") from error


async def _first(stop: RestingStop, asks: Iterable[Callable[..., Awaitable[object]]]) -> Row | None:
    """Give the first row of a stop in these lists, read as far back as it was sent.

    Raises:
        OutcomeUnknown: A page cannot be had, or there are too many.
    """

    def is_mine(row: Row) -> bool:
        return row.get("algoClOrdId") == stop.id and not is_older(stop, row)

    def ended_before(row: Row) -> bool:
        return changed_ms(row) < stop.fence_ms - SIGNED_FOR_MS

    return await first(asks, "algoId", is_mine, ended_before)


def _fills_of(stop: RestingStop, order_id: str, rows: Sequence[object]) -> list[Fill]:
    """Read the fills of the order that a stop has become, oldest first; they carry its id alone."""
    fills = [fill_of(stop.id, stop.symbol, _of(order_id, row)) for row in rows]
    return sorted(fills, key=lambda fill: (fill.at_ms, fill.trade_id))


def _of(order_id: str, row: object) -> Row:
    if not isinstance(row, dict) or row.get("ordId") != order_id:
        raise unknown("a fill is not of the stop's order")
    return row


def _must_name(answer: object, stop: RestingStop) -> None:
    """Make sure that an acknowledgement is of this stop.

    Raises:
        OutcomeUnknown: It is none.
    """
    [row, *others] = must_have_rows(answer, "one stop")
    if others or not isinstance(row, dict) or row.get("algoClOrdId") != stop.id:
        raise unknown("the answer names another stop, or none")
