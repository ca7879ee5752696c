"""Accounts and the log by hand: /control/accounts and /control/log.

This side is the simulator's own. Secrets are never shown.
"""

from aiohttp import web

from oxbot.domain.errors import InputError, NotFound
from oxbot.simulator.control import parse_json, refused
from oxbot.simulator.instruments import plain
from oxbot.simulator.private.algo_rows import algo_row
from oxbot.simulator.private.books import Books
from oxbot.simulator.private.desk import Desk
from oxbot.simulator.private.rows import order_row
from oxbot.simulator.private.spec import parse_account

NOT_SHOWN = {"secret", "passphrase", "more_keys", "balances"}


class AccountControl:
    """The control side of accounts.

    Args:
        desk: Whose accounts.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        """The paths."""
        return [
            web.post("/control/accounts", self.make),
            web.get("/control/accounts/{key}", self.read),
            web.get("/control/log", self.log),
        ]

    async def make(self, request: web.Request) -> web.Response:
        """Make an account; 400 where that cannot be, or the key has another."""
        try:
            spec = parse_account(parse_json(await request.read()))
            books = self._desk.ledger.make_account(spec, self._desk.settle())
        except InputError as error:
            return refused(error)
        self._desk.ledger.commit()
        return web.json_response(_shown(books))

    async def read(self, request: web.Request) -> web.Response:
        """An account with its balances, orders and algo orders."""
        self._desk.settle()
        self._desk.ledger.commit()
        key = request.match_info["key"]
        books = self._desk.ledger.accounts.get(key)
        if books is None:
            return refused(NotFound(f"There is no account with the key {key!r}."), status=404)
        return web.json_response(_shown(books))

    async def log(self, request: web.Request) -> web.Response:
        """What happened after event `since`, of one `account` or of all."""
        self._desk.settle()
        self._desk.ledger.commit()
        since = request.query.get("since", "0")
        if not (since.isascii() and since.isdigit()):
            return refused(InputError(f"since is the number of an event, not {since!r}."))
        events = self._desk.ledger.log(request.query.get("account"), int(since))
        return web.json_response({"events": events})


def _shown(books: Books) -> dict[str, object]:
    currencies = sorted(books.balances)
    return {
        **books.spec.model_dump(mode="json", exclude=NOT_SHOWN),
        "uid": books.spec.uid,
        "balances": {currency: plain(books.balances[currency]) for currency in currencies},
        "held": {currency: plain(books.held(currency)) for currency in currencies},
        "orders": [order_row(order) for order in books.orders.values()],
        "algos": [algo_row(books, algo) for algo in books.algos.values()],
    }
