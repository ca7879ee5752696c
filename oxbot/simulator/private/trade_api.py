"""Orders over HTTP: place, cancel, and what became of them."""

from collections.abc import Iterator

from aiohttp import web

from oxbot.simulator.okx import OkxError, envelope
from oxbot.simulator.private.books import Order
from oxbot.simulator.private.calls import Call, each, signed_route
from oxbot.simulator.private.desk import Desk
from oxbot.simulator.private.pages import fits, page
from oxbot.simulator.private.rows import Row, fill_row, order_row
from oxbot.simulator.private.spec import Permission
from oxbot.simulator.private.wishes import Fields, ItemError, client_id, order_wish, text

LARGEST_BATCH = 20
"""Orders in one request."""

FILTERS = ("instType", "instId", "ordType", "state", "category")


class TradeApi:
    """The endpoints of plain orders under trade.

    Args:
        desk: Where orders are taken.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        """The paths."""
        asked = {
            "trade/order": self.order,
            "trade/orders-pending": self.pending,
            "trade/orders-history": self.history,
            "trade/orders-history-archive": self.archive,
            "trade/fills": self.fills,
            "trade/fills-history": self.fills,
        }
        done = {
            "trade/order": self.place,
            "trade/batch-orders": self.place,
            "trade/cancel-order": self.cancel,
            "trade/cancel-batch-orders": self.cancel,
        }
        return [
            *(signed_route(self._desk, "GET", *path, Permission.READ) for path in asked.items()),
            *(signed_route(self._desk, "POST", *path, Permission.TRADE) for path in done.items()),
        ]

    def place(self, call: Call) -> web.Response:
        """Take each order of a request; one whose expTime has passed is refused."""
        _check_batch(call)

        def take(fields: Fields) -> Row:
            check_call(call)
            wish = order_wish(fields)
            return _named(self._desk.place(call.books, wish, call.now_ms, call.dealing), call)

        return each(call, self._desk, "clOrdId", take)

    def cancel(self, call: Call) -> web.Response:
        """Cancel each order of a request."""
        _check_batch(call)

        def cancel(fields: Fields) -> Row:
            order = self._find(call, fields)
            return _named(self._desk.cancel(call.books, order, call.now_ms), call)

        return each(call, self._desk, "clOrdId", cancel)

    def order(self, call: Call) -> web.Response:
        """One order, by ordId or as the newest one of a clOrdId."""
        if not text(call.query, "instId"):
            raise OkxError("50014", "Parameter instId can not be empty.")
        try:
            order = self._find(call, call.query)
        except ItemError as error:
            raise OkxError(error.code, str(error)) from error
        if order is None or not order.shown(call.now_ms):
            raise OkxError("51603", "Order does not exist.", status=200)
        return envelope([order_row(order)])

    def pending(self, call: Call) -> web.Response:
        """What rests."""
        rows = (order_row(order) for order in self._shown(call) if order.live)
        return _page(call, rows, "ordId")

    def history(self, call: Call) -> web.Response:
        """What has ended."""
        rows = (order_row(order) for order in self._shown(call) if not order.live)
        return _page(call, rows, "ordId")

    def archive(self, call: Call) -> web.Response:
        """What has ended and was filled, in part at least."""
        over = (order for order in self._shown(call) if not order.live)
        return _page(call, (order_row(order) for order in over if order.filled), "ordId")

    def fills(self, call: Call) -> web.Response:
        """What was filled."""
        found = sorted(
            ((order, fill) for order in self._shown(call) for fill in order.fills),
            key=lambda pair: -pair[1].seq,
        )
        rows = (fill_row(order, fill) for order, fill in found)
        wanted = (row for row in rows if fits(row, call.query, "instType", "instId", "ordId"))
        return envelope(page(wanted, call.query, "billId", "ts"))

    def _shown(self, call: Call) -> Iterator[Order]:
        """The account's orders that answers show, newest first."""
        orders = reversed(call.books.orders.values())
        return (order for order in orders if order.shown(call.now_ms))

    def _find(self, call: Call, fields: Fields) -> Order | None:
        """The order that is meant, of the instrument that is named."""
        ord_id, cl_ord_id = text(fields, "ordId"), client_id(fields, "clOrdId")
        if not (ord_id or cl_ord_id):
            raise ItemError("51003", "Either client order ID or order ID is required.")
        found = call.books.order(ord_id, cl_ord_id)
        return found if found and found.taken.inst_id == text(fields, "instId") else None


def check_call(call: Call) -> None:
    """Nothing about a request to place orders forbids all of them.

    Raises:
        ItemError: 50036 or 51010.
    """
    if call.expires_ms is not None and call.now_ms > call.expires_ms:
        raise ItemError(
            "50036",
            "The expTime can't be earlier than the current system time. "
            "Please adjust the expTime and try again.",
        )
    if call.dealing.wrong_mode:
        raise ItemError("51010", "Request unsupported under current account mode")


def _check_batch(call: Call) -> None:
    if len(call.items) > LARGEST_BATCH:
        raise OkxError("51000", "Parameter batch orders error.")


def _named(order: Order, call: Call) -> Row:
    taken = order.taken
    names = {"clOrdId": taken.cl_ord_id, "ordId": taken.ord_id, "tag": taken.tag}
    return {**names, "ts": str(call.now_ms)}


def _page(call: Call, rows: Iterator[Row], number: str) -> web.Response:
    wanted = (row for row in rows if fits(row, call.query, *FILTERS))
    return envelope(page(wanted, call.query, number))
