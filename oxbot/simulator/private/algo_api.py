"""Algo orders over HTTP: stops and targets, alone or of which one cancels the other."""

from aiohttp import web

from oxbot.simulator.okx import OkxError, envelope
from oxbot.simulator.private.algo_rows import algo_row
from oxbot.simulator.private.books import Algo
from oxbot.simulator.private.calls import Call, each, signed_route
from oxbot.simulator.private.desk import Desk
from oxbot.simulator.private.pages import fits, page
from oxbot.simulator.private.rows import Row
from oxbot.simulator.private.spec import Permission
from oxbot.simulator.private.wishes import (
    Fields,
    ItemError,
    algo_wish,
    amended,
    client_id,
    text,
)

LARGEST_BATCH = 10
"""Algo orders that one request may cancel."""

FILTERS = ("instType", "instId", "ordType", "state", "algoId")


class AlgoApi:
    """The endpoints of algo orders under trade.

    Args:
        desk: Where orders are taken.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        """The paths."""
        asked = {
            "trade/order-algo": self.order,
            "trade/orders-algo-pending": self.pending,
            "trade/orders-algo-history": self.history,
        }
        done = {
            "trade/order-algo": self.place,
            "trade/cancel-algos": self.cancel,
            "trade/amend-algos": self.amend,
        }
        return [
            *(signed_route(self._desk, "GET", *path, Permission.READ) for path in asked.items()),
            *(signed_route(self._desk, "POST", *path, Permission.TRADE) for path in done.items()),
        ]

    def place(self, call: Call) -> web.Response:
        """Take an algo order; OKX knows no expTime here."""

        def arm(fields: Fields) -> Row:
            if call.dealing.wrong_mode:
                raise ItemError("51010", "Request unsupported under current account mode")
            wish = algo_wish(fields)
            return _named(self._desk.arm(call.books, wish, call.now_ms, call.dealing))

        return each(call, self._desk, "algoClOrdId", arm)

    def cancel(self, call: Call) -> web.Response:
        """Cancel each algo order of a request."""
        if len(call.items) > LARGEST_BATCH:
            raise OkxError("51000", "Parameter batch orders error.")

        def cancel(fields: Fields) -> Row:
            algo = self._find(call, fields)
            return _named(self._desk.cancel_algo(call.books, algo, call.now_ms))

        return each(call, self._desk, "algoClOrdId", cancel)

    def amend(self, call: Call) -> web.Response:
        """Change size and triggers of an algo order that waits."""

        def amend(fields: Fields) -> Row:
            algo = self._find(call, fields)
            if algo is None or not algo.live:
                raise ItemError("51503", "Order modification failed as the order does not exist.")
            sz, protection = amended(fields, algo.sz, algo.protection)
            return _named(self._desk.amend_algo(call.books, algo, sz, protection, call.now_ms))

        return each(call, self._desk, "algoClOrdId", amend)

    def order(self, call: Call) -> web.Response:
        """One algo order, by algoId or as the newest one of an algoClOrdId."""
        try:
            algo = self._find(call, call.query)
        except ItemError as error:
            raise OkxError(error.code, str(error)) from error
        if algo is None or not algo.shown(call.now_ms):
            raise OkxError("51603", "Order does not exist.", status=200)
        return envelope([algo_row(call.books, algo)])

    def pending(self, call: Call) -> web.Response:
        """What waits for its price; `ordType` says of which kinds."""
        return self._page(call, live=True)

    def history(self, call: Call) -> web.Response:
        """What has ended; `state` or `algoId` says which."""
        if not (text(call.query, "state") or text(call.query, "algoId")):
            raise OkxError("50014", "Parameter state can not be empty.")
        return self._page(call, live=False)

    def _page(self, call: Call, *, live: bool) -> web.Response:
        if not text(call.query, "ordType"):
            raise OkxError("50014", "Parameter ordType can not be empty.")
        rows = (
            algo_row(call.books, algo)
            for algo in reversed(call.books.algos.values())
            if algo.live is live and algo.shown(call.now_ms)
        )
        wanted = (row for row in rows if fits(row, call.query, *FILTERS))
        return envelope(page(wanted, call.query, "algoId"))

    def _find(self, call: Call, fields: Fields) -> Algo | None:
        """The algo order that is meant."""
        algo_id, name = text(fields, "algoId"), client_id(fields, "algoClOrdId")
        if not (algo_id or name):
            raise ItemError("51003", "Either client order ID or order ID is required.")
        return call.books.algo(algo_id, name)


def _named(algo: Algo) -> Row:
    armed = algo.armed
    names = {"algoId": armed.algo_id, "algoClOrdId": algo.protection.cl_ord_id}
    return {**names, "clOrdId": "", "tag": armed.tag}
