"""The private channels: who follows which account, and what is pushed of it.

A change is pushed when it is kept, in the order in which things happened. Whoever was not there,
or stalled, hears of it no more: nothing is replayed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from oxbot.simulator.fault_rules import FaultKind
from oxbot.simulator.instruments import SPOT
from oxbot.simulator.private.algo_rows import algo_row
from oxbot.simulator.private.books import Books
from oxbot.simulator.private.desk import Desk
from oxbot.simulator.private.events import (
    AlgoAmended,
    AlgoArmed,
    AlgoCanceled,
    AlgoFailed,
    AlgoTriggered,
    Canceled,
    Event,
    Filled,
    OrderTaken,
)
from oxbot.simulator.private.push_rows import pushed_order
from oxbot.simulator.private.rows import Row, balance_row
from oxbot.simulator.private.signing import LoginError, login_of
from oxbot.simulator.ws_channels import BUSINESS
from oxbot.simulator.ws_client import Client
from oxbot.simulator.ws_messages import (
    Arg,
    Request,
    WsError,
    acknowledged,
    logged_in,
    pushed,
    unknown_topic,
)

PRIVATE: Final = "private"
"""The address /ws/v5/private."""

ORDERS, ACCOUNT, ALGOS = "orders", "account", "orders-algo"

CHANNELS: Final = {ORDERS: PRIVATE, ACCOUNT: PRIVATE, ALGOS: BUSINESS}
"""The private channels, and where they are."""

KINDS: Final = (SPOT, "ANY")
"""The kinds of instruments of which there are orders."""


@dataclass(frozen=True, slots=True)
class News:
    """A row that a channel pushes.

    Attributes:
        account: Whose.
        channel: Which channel.
        inst_id: The pair it is about; "" for all.
        row: OKX's row.
    """

    account: str
    channel: str
    inst_id: str
    row: Row


class PrivateHub:
    """Everything that is pushed to those who have logged in.

    Args:
        desk: Whose accounts.
        wall: This machine's time in ms.
    """

    def __init__(self, desk: Desk, wall: Callable[[], int]) -> None:
        self._desk = desk
        self._wall = wall
        self._keys: dict[Client, str] = {}
        self._wanted: dict[Client, list[Arg]] = {}
        self._news: list[News] = []
        self._touched: dict[str, None] = {}
        desk.ledger.watchers.append(self._note)
        desk.ledger.kept.append(self._push)

    def has(self, address: str, arg: Arg) -> bool:
        """Whether an arg names a private channel of an address."""
        return CHANNELS.get(arg.get("channel", "")) == address

    def login(self, client: Client, request: Request) -> None:
        """Let a client hear of an account.

        Raises:
            WsError: OKX does not believe it.
        """
        try:
            now_ms = self._desk.venue.clock.now()
            books = login_of(request.args[0], self._desk.ledger.signers, now_ms)
        except LoginError as error:
            raise WsError(error.code, str(error), request.request_id) from error
        self._keys[client] = books.spec.key
        client.send(logged_in(client.id, request.request_id))

    def do(self, client: Client, request: Request, arg: Arg) -> None:
        """Subscribe a client to a private channel, or end that.

        Raises:
            WsError: 60011 before a login, 60018 for what there is not.
        """
        key = self._keys.get(client)
        if key is None:
            raise WsError("60011", "Please log in", request.request_id)
        if arg["channel"] != ACCOUNT and arg.get("instType") not in KINDS:
            raise unknown_topic(arg)
        client.send(acknowledged(request.op, arg, client.id, request.request_id))
        wanted = self._wanted.setdefault(client, [])
        if request.op == "unsubscribe":
            self._wanted[client] = [one for one in wanted if one != arg]
        elif arg not in wanted:
            wanted.append(arg)
            self._greet(client, key, arg)

    def leave(self, client: Client) -> None:
        """Forget a client that is gone."""
        self._keys.pop(client, None)
        self._wanted.pop(client, None)

    def _greet(self, client: Client, key: str, arg: Arg) -> None:
        """The channel of balances tells at once how they stand."""
        if arg["channel"] == ACCOUNT and not self._stalled():
            self._desk.look()
            self._send(client, arg, self._balances(key))

    def _note(self, event: Event) -> None:
        """Remember what is to be pushed of an event, as things stand with it."""
        if not self._wanted:
            return
        books = self._desk.ledger.accounts[event.account]
        if isinstance(event, OrderTaken | Filled | Canceled):
            self._touched[event.account] = None
            order = books.orders[event.ord_id]
            market = self._desk.venue.market
            last = order.listed.price(market.price(order.listed.id, event.ts))
            row = pushed_order(order, event, last)
            self._news.append(News(event.account, ORDERS, order.listed.id, row))
        elif isinstance(event, AlgoArmed | AlgoAmended | AlgoTriggered | AlgoFailed | AlgoCanceled):
            algo = books.algos[event.algo_id]
            self._news.append(News(event.account, ALGOS, algo.listed.id, algo_row(books, algo)))

    def _push(self) -> None:
        """Push what was remembered; during a stall it is forgotten."""
        news = [*self._news, *(self._balances(key) for key in self._touched)]
        self._news, self._touched = [], {}
        if self._stalled():
            return
        for one in news:
            for client, wanted in list(self._wanted.items()):
                if self._keys[client] == one.account:
                    for arg in (arg for arg in wanted if _meant(arg, one)):
                        self._send(client, arg, one)

    def _send(self, client: Client, arg: Arg, news: News) -> None:
        client.active_ms = self._wall()
        uid = self._desk.ledger.accounts[news.account].spec.uid
        client.send(pushed({**arg, "uid": uid}, [news.row]))

    def _balances(self, key: str) -> News:
        books: Books = self._desk.ledger.accounts[key]
        now_ms = self._desk.venue.clock.now()
        return News(key, ACCOUNT, "", balance_row(books, self._desk.prices(now_ms), set()))

    def _stalled(self) -> bool:
        rule = self._desk.venue.faults.ws(self._desk.venue.clock.now())
        return rule is not None and rule.kind is FaultKind.WS_STALL


def _meant(arg: Arg, news: News) -> bool:
    """Whether a subscription asks for a row."""
    if arg["channel"] != news.channel:
        return False
    return arg.get("instId") in (None, "", news.inst_id)
