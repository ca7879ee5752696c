"""OKX v5 over HTTP: funding, open interest and mark prices of swaps."""

from aiohttp import web

from oxbot.simulator.instruments import SWAP, Instrument
from oxbot.simulator.okx import (
    API,
    OkxError,
    answer_time,
    envelope,
    optional,
    page_limit,
    required,
    traded,
    wanted_kind,
)
from oxbot.simulator.swap_answers import (
    FundingPage,
    funding_history_rows,
    funding_row,
    mark_price_row,
    open_interest_row,
)
from oxbot.simulator.venue import Venue

LARGEST_PAGE = 400
"""Settlements in one answer, at most."""

ANY = "ANY"
"""The instId that asks for the funding of every swap."""


class SwapApi:
    """What OKX tells of swaps beside prices.

    Args:
        venue: What to serve.
    """

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def routes(self) -> list[web.RouteDef]:
        """The paths under /api/v5."""
        return [
            web.get(f"{API}public/funding-rate", self.funding_rate),
            web.get(f"{API}public/funding-rate-history", self.funding_history),
            web.get(f"{API}public/open-interest", self.open_interest),
            web.get(f"{API}public/mark-price", self.mark_price),
        ]

    async def funding_rate(self, request: web.Request) -> web.Response:
        """The funding of the period under way, of one swap or of ANY."""
        every = request.query.get("instId") == ANY
        wanted = self._venue.swaps if every else [self._swap(request)]
        market, now = self._venue.market, answer_time(self._venue, request)
        return envelope([funding_row(market, swap, now) for swap in wanted])

    async def funding_history(self, request: web.Request) -> web.Response:
        """Settled funding of a swap, in pages."""
        swap = self._swap(request)
        page = FundingPage(
            before=optional(request, "before"),
            after=optional(request, "after"),
            limit=page_limit(request, LARGEST_PAGE),
        )
        now = answer_time(self._venue, request)
        return envelope(funding_history_rows(self._venue.market, swap, page, now))

    async def open_interest(self, request: web.Request) -> web.Response:
        """Open interest of every swap; `instId` picks one."""
        is_swap = wanted_kind(request) == SWAP
        if request.query.get("instId"):
            wanted = [self._swap(request)]
        else:
            wanted = self._venue.swaps if is_swap else []
        market, now = self._venue.market, answer_time(self._venue, request)
        return envelope([open_interest_row(market, swap, now) for swap in wanted])

    async def mark_price(self, request: web.Request) -> web.Response:
        """Mark prices of a kind (SWAP, MARGIN), or of one instrument without its kind."""
        if request.query.get("instId"):
            wanted = [traded(self._venue, request)]
        else:
            kind = required(request, "instType")
            listed = {SWAP: self._venue.swaps, "MARGIN": self._venue.instruments}
            wanted = listed.get(kind, [])
        market, now = self._venue.market, answer_time(self._venue, request)
        return envelope([mark_price_row(market, one, now) for one in wanted])

    def _swap(self, request: web.Request) -> Instrument:
        """The swap that a request names."""
        listed = traded(self._venue, request)
        if listed.kind != SWAP:
            raise OkxError("51000", "Parameter instId error.")
        return listed
