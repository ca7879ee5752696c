"""The desk: takes orders, and lets happen what the price does to those that wait."""

from dataclasses import replace
from decimal import Decimal
from typing import NoReturn

from oxbot.simulator.book import Level
from oxbot.simulator.instruments import Instrument
from oxbot.simulator.private.algo_deals import AlgoDeals
from oxbot.simulator.private.books import USDT, Algo, Books, Order
from oxbot.simulator.private.deals import USUAL, Dealing, Deals
from oxbot.simulator.private.events import Refused
from oxbot.simulator.private.judging import (
    check_algo,
    check_algo_name,
    check_attached,
    check_funds,
    check_name,
    check_steps,
    check_triggers,
    spot_pair,
)
from oxbot.simulator.private.ledger import Ledger
from oxbot.simulator.private.matching import book_side, size_of, taken, value_of, whole_lots
from oxbot.simulator.private.terms import CancelSource, OrderType, Protection, Side, Target
from oxbot.simulator.private.waiting import Wait, next_ms, waits_of
from oxbot.simulator.private.wishes import AlgoWish, ItemError, OrderWish
from oxbot.simulator.venue import Venue
from oxbot.simulator.ways import Ways


class Desk:
    """The private side of a venue.

    Args:
        venue: Whose prices and time.

    Attributes:
        venue: As given.
        ledger: The accounts, and what happened to them.
    """

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.ledger = Ledger(venue.journal)
        self._algos = AlgoDeals(self.ledger)
        self._deals = Deals(self.ledger, self._algos)
        # What waits has waited since the last event: whatever came due later was not written.
        self._settled_ms = self.ledger.latest_ms

    def settle(self) -> int:
        """Let happen what has become due, up to now; gives that time, ms UTC."""
        now_ms = max(self.venue.clock.now(), self._settled_ms)
        while self._settled_ms < now_ms and (waits := self._waits()):
            due_ms = next_ms(Ways(self.venue.market), waits, self._settled_ms, now_ms)
            if due_ms is None:
                break
            self._act(due_ms)
            self._settled_ms = due_ms
        self._settled_ms = now_ms
        return now_ms

    def look(self) -> None:
        """Let happen what has become due, and keep it."""
        self.settle()
        self.ledger.commit()

    def place(self, books: Books, wish: OrderWish, now_ms: int, dealing: Dealing = USUAL) -> Order:
        """Take an order.

        Raises:
            ItemError: It cannot be taken; nothing was done.
        """
        listed = spot_pair(self.venue, wish.inst_id)
        last = self._last(listed, now_ms)
        check_name(books, wish.cl_ord_id)
        check_steps(listed, wish)
        check_attached(wish, last)
        check_algo_name(books, wish.protection.cl_ord_id if wish.protection else "")
        wish, takes = self._affordable(books, listed, wish, now_ms, dealing)
        order = self._deals.take(books, wish, last, now_ms, dealing)
        self._deals.match(books, order, takes, now_ms)
        self._act(now_ms)
        return order

    def cancel(self, books: Books, order: Order | None, now_ms: int) -> Order:
        """Cancel an order that rests.

        Raises:
            ItemError: 51400, there is none.
        """
        if order is None or not order.live:
            _nothing_to_cancel()
        self._deals.end(books, order, CancelSource.USER, now_ms)
        self._act(now_ms)
        return order

    def arm(self, books: Books, wish: AlgoWish, now_ms: int, dealing: Dealing = USUAL) -> Algo:
        """Take an algo order that stands alone.

        Raises:
            ItemError: It cannot be taken; nothing was done.
        """
        listed = spot_pair(self.venue, wish.inst_id)
        check_algo_name(books, wish.protection.cl_ord_id)
        check_algo(listed, wish)
        check_triggers(wish.side, wish.protection, self._last(listed, now_ms))
        return self._algos.arm(books, wish, now_ms, hidden_ms=dealing.hidden_ms)

    def cancel_algo(self, books: Books, algo: Algo | None, now_ms: int) -> Algo:
        """Cancel an algo order that waits.

        Raises:
            ItemError: 51400, there is none.
        """
        if algo is None or not algo.live:
            _nothing_to_cancel()
        self._algos.cancel(books, algo, now_ms)
        return algo

    def amend_algo(
        self, books: Books, algo: Algo, sz: Decimal, protection: Protection, now_ms: int
    ) -> Algo:
        """Give an algo order that waits another size or other triggers.

        Raises:
            ItemError: They cannot be; nothing was done.
        """
        armed = algo.armed
        wish = AlgoWish(armed.inst_id, armed.side, sz, protection, armed.tgt_ccy)
        check_algo(algo.listed, wish)
        check_triggers(armed.side, protection, self._last(algo.listed, now_ms))
        self._algos.amend(books, algo, sz, protection, now_ms)
        return algo

    def refuse(
        self, books: Books, request: str, refusal: ItemError, cl_ord_id: str, now_ms: int
    ) -> None:
        """Write down that an item of a request was refused."""
        self.ledger.record(
            Refused(
                seq=self.ledger.next_seq,
                ts=now_ms,
                account=books.spec.key,
                event="expired" if refusal.code == "50036" else "refused",
                request=request,
                code=refusal.code,
                cl_ord_id=cl_ord_id,
            )
        )

    def prices(self, now_ms: int) -> dict[str, Decimal]:
        """USDT for one of each currency at a moment."""
        listed = self.venue.instruments
        return {USDT: Decimal(1), **{one.coin: self._last(one, now_ms) for one in listed}}

    def _waits(self) -> list[Wait]:
        return waits_of(self.ledger.accounts.values(), self.venue.market.shape.spread_ticks)

    def _act(self, now_ms: int) -> None:
        """Let happen what is met at a moment, oldest first; what follows from it may be met too."""
        prices = Ways(self.venue.market)
        while True:
            met = (one for one in self._waits() if one.met(prices.price(one.symbol, now_ms)))
            wait = next(met, None)
            if wait is None:
                return
            if isinstance(wait.what, Order):
                self._deals.met(wait.books, wait.what, now_ms)
            else:
                self._trigger(wait.books, wait.what, wait, now_ms)

    def _trigger(self, books: Books, algo: Algo, wait: Wait, now_ms: int) -> None:
        """An algo order becomes an order, or fails."""
        wish, last = _order_of(algo, wait), self._last(algo.listed, now_ms)
        try:
            wish, takes = self._affordable(books, algo.listed, wish, now_ms, USUAL)
        except ItemError as refusal:
            self._algos.failed(books, algo, wait.which, refusal.code, now_ms)
            return
        order = self._deals.take(books, wish, last, now_ms)
        self._algos.triggered(books, algo, wait.which, order, now_ms)
        self._deals.match(books, order, takes, now_ms)

    def _last(self, listed: Instrument, now_ms: int) -> Decimal:
        return listed.price(self.venue.market.price(listed.id, now_ms))

    def _affordable(
        self, books: Books, listed: Instrument, wish: OrderWish, now_ms: int, dealing: Dealing
    ) -> tuple[OrderWish, list[Level]]:
        """An order, made smaller where OKX does that, and what it takes at once."""
        wish = self._fitted(books, listed, wish, now_ms)
        size = wish.sz if dealing.share == 1 else whole_lots(wish.sz * dealing.share, listed.lot)
        takes = self._taken(listed, replace(wish, sz=size), now_ms)
        check_funds(books, listed, wish, takes)
        return wish, takes

    def _fitted(self, books: Books, listed: Instrument, wish: OrderWish, now_ms: int) -> OrderWish:
        """A market buy of more coins than the account can pay for, unless that is forbidden."""
        if wish.side is Side.SELL or wish.px is not None or wish.ban_amend:
            return wish
        cash = books.available(USDT)
        if wish.tgt_ccy is Target.QUOTE or value_of(self._taken(listed, wish, now_ms)) <= cash:
            return wish
        spending = replace(wish, sz=cash, tgt_ccy=Target.QUOTE)
        size = size_of(self._taken(listed, spending, now_ms))
        return replace(wish, sz=size) if size >= listed.minimum else wish

    def _taken(self, listed: Instrument, wish: OrderWish, now_ms: int) -> list[Level]:
        """What an order takes of the book."""
        last_ticks, shape = self.venue.market.price(listed.id, now_ms), self.venue.market.shape
        levels = book_side(listed, last_ticks, shape, wish.side, wish.px)
        return taken(levels, wish.sz, wish.tgt_ccy, listed.lot)


def _nothing_to_cancel() -> NoReturn:
    raise ItemError(
        "51400",
        "Order cancellation failed as the order has been filled, canceled or does not exist.",
    )


def _order_of(algo: Algo, wait: Wait) -> OrderWish:
    """The order that comes of an algo order."""
    chosen = algo.protection.stop if wait.which == "sl" else algo.protection.target
    price = None if chosen is None else chosen.price
    return OrderWish(
        inst_id=algo.armed.inst_id,
        side=algo.armed.side,
        ord_type=OrderType.MARKET if price is None else OrderType.LIMIT,
        px=price,
        sz=algo.sz,
        tgt_ccy=algo.armed.tgt_ccy,
        algo_id=algo.armed.algo_id,
        tag=algo.armed.tag,
    )
