"""What an account at OKX has, what of it is alive, and what it traded lately."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial

from oxbot.adapters.okx.account_rows import balances_of
from oxbot.adapters.okx.algo_rows import KINDS, changed_ms
from oxbot.adapters.okx.asked import Row, pages
from oxbot.adapters.okx.client import UNREADABLE
from oxbot.adapters.okx.errors import read_failure
from oxbot.adapters.okx.fitness import Fitness, monotonic_ms
from oxbot.adapters.okx.order_errors import unknown
from oxbot.adapters.okx.order_rows import ENDED, amount, fill_of, text
from oxbot.adapters.okx.parse import inst_id_of
from oxbot.adapters.okx.private import OkxAccount
from oxbot.domain.balances import Balance
from oxbot.domain.errors import OutcomeUnknown, VenueUnavailable
from oxbot.domain.money import Quantity
from oxbot.domain.orders import Fill, may_be_ours
from oxbot.ports import Clock, MarketFeed


class OkxHoldings:
    """The part of `LiveExchange` that only reads.

    Args:
        account: The account.
        feed: Where instruments come from.
        clock: The venue's time.
        now_ms: Ms of a clock that is never set.
    """

    def __init__(
        self,
        account: OkxAccount,
        feed: MarketFeed,
        clock: Clock,
        *,
        now_ms: Callable[[], int] = monotonic_ms,
    ) -> None:
        self._account = account
        self._feed = feed
        self._clock = clock
        self._fitness = Fitness(account, now_ms)

    async def unfit(self) -> str | None:
        """Say why nobody should trade in the account; None where it is fit.

        Raises:
            VenueUnavailable: It does not say now.
        """
        return await self._fitness.unfit()

    async def resting_stops(self) -> frozenset[str]:
        """Give the ids of all stops and targets of the account that are alive.

        Raises:
            VenueUnavailable: It does not say now.
        """
        asks = (partial(self._account.stops_pending, kind) for kind in KINDS)
        return frozenset(str(row["algoClOrdId"]) for row in await _stops(asks))

    async def triggered_stops(self, since_ms: int) -> frozenset[str]:
        """Give the ids of the stops and targets that were triggered since a venue time.

        Raises:
            VenueUnavailable: It does not say now.
        """

        def is_new(row: Row) -> bool:
            return changed_ms(row) >= since_ms

        asks = (partial(self._account.stops_ended, kind, "effective") for kind in KINDS)
        rows = await _stops(asks, lambda page: not any(map(is_new, page)))
        return frozenset(str(row["algoClOrdId"]) for row in rows if is_new(row))

    async def recent_fills(self, symbol: str, since_ms: int) -> list[Fill]:
        """Give what orders with an id such as ours have traded of a coin since a venue time.

        Raises:
            OutcomeUnknown: It does not say now, or not all of it.
        """
        ask = partial(self._account.fills, inst_id_of(symbol), begin=str(since_ms))
        rows = [row for row in await pages(ask, "billId") if may_be_ours(row.get("clOrdId"))]
        named = [fill_of(text(row, "clOrdId"), symbol, row) for row in rows]
        return sorted(named, key=lambda fill: (fill.at_ms, fill.trade_id))

    async def _executions(
        self, symbol: str, row: Row, read: Callable[[Sequence[object]], list[Fill]]
    ) -> list[Fill]:
        """Give all that an order has traded which is over; `row` is OKX's of it.

        Raises:
            OutcomeUnknown: It is not over, or not all of its fills can be seen yet.
        """
        if text(row, "state") not in ENDED:
            raise unknown(f"it is {row['state']} at OKX and not over")
        filled = Quantity(amount(row, "accFillSz"))
        if not filled:
            return []
        ask = partial(self._account.fills, inst_id_of(symbol), ordId=text(row, "ordId"))
        fills = read(await pages(ask, "billId"))
        seen = sum((fill.quantity for fill in fills), Quantity(0))
        if seen != filled:
            raise unknown(f"{filled} were filled, and fills of {seen} can be seen so far")
        return fills

    async def balances(self) -> dict[str, Balance]:
        """Give what the account has of each currency.

        Raises:
            VenueUnavailable: It does not say now.
        """
        try:
            return balances_of(await self._account.balance())
        except UNREADABLE as error:
            raise read_failure(error, "the account's balances", self._account.timeout_ms) from error


async def _stops(
    asks: Iterable[Callable[..., Awaitable[object]]],
    is_last: Callable[[list[Row]], bool] | None = None,
) -> list[Row]:
    """Read these lists of stops; those without an id of their sender are left out.

    All pages are read, or those up to the first that `is_last`.

    Raises:
        VenueUnavailable: One cannot be read.
    """
    try:
        rows = [row for ask in asks for row in await pages(ask, "algoId", is_last)]
    except OutcomeUnknown as error:
        raise VenueUnavailable(f"OKX's list of stops cannot be read: {error}") from error
    return [row for row in rows if row.get("algoClOrdId")]
