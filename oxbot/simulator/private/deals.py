"""What is done to orders, as events: taken, filled, ended, and what follows from it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from oxbot.simulator.book import Level
from oxbot.simulator.private.algo_deals import AlgoDeals
from oxbot.simulator.private.books import USDT, ZERO, Books, Order
from oxbot.simulator.private.events import (
    Canceled,
    Filled,
    OrderTaken,
    ProtectionRefused,
)
from oxbot.simulator.private.ledger import ORDERS, TRADES, Ledger
from oxbot.simulator.private.matching import DEEPEST, size_of, value_of, whole_lots
from oxbot.simulator.private.terms import (
    CancelSource,
    OrderType,
    Side,
    State,
    Target,
)
from oxbot.simulator.private.wishes import AlgoWish, OrderWish

MAKER, TAKER = Decimal("0.0008"), Decimal("0.001")
"""OKX's fees of spot at the first level, as fractions."""

AT_ONCE: Final = {
    OrderType.IOC: CancelSource.IOC,
    OrderType.FOK: CancelSource.FOK,
    OrderType.MARKET: CancelSource.DEPTH,
}
"""Types that never rest, and how what is left of them ends."""

TOO_LITTLE, TOO_LATE = "51020", "51280"
"""Why what was attached is refused: less than the minimum was filled; a fault says so."""


@dataclass(frozen=True, slots=True)
class Dealing:
    """What a fault does to an order that is taken.

    Attributes:
        hidden_ms: For so much venue time no answer shows it.
        refuse_protection: What is attached to it is refused when it is filled.
        share: It takes no more than this fraction of its size at once.
        wrong_mode: It is refused, as by an account in another mode.
    """

    hidden_ms: int = 0
    refuse_protection: bool = False
    share: Decimal = Decimal(1)
    wrong_mode: bool = False


USUAL: Final = Dealing()


class Deals:
    """Writes into a ledger what is done.

    Args:
        ledger: Where it is written.
        algos: What is done to algo orders.
    """

    def __init__(self, ledger: Ledger, algos: AlgoDeals) -> None:
        self._ledger = ledger
        self._algos = algos

    def take(
        self, books: Books, wish: OrderWish, last: Decimal, now_ms: int, dealing: Dealing = USUAL
    ) -> Order:
        """An order is taken; `last` is the last price in USDT."""
        seq = self._ledger.next_seq
        ord_id = str(ORDERS + seq)
        self._ledger.record(
            OrderTaken(
                seq=seq,
                ts=now_ms,
                account=books.spec.key,
                ord_id=ord_id,
                cl_ord_id=wish.cl_ord_id,
                inst_id=wish.inst_id,
                side=wish.side,
                ord_type=wish.ord_type,
                px=wish.px,
                sz=wish.sz,
                tgt_ccy=wish.tgt_ccy,
                last=last,
                protection=wish.protection,
                refuse_protection=dealing.refuse_protection,
                hidden_ms=dealing.hidden_ms,
                algo_id=wish.algo_id,
                tag=wish.tag,
            )
        )
        return books.orders[ord_id]

    def match(self, books: Books, order: Order, takes: list[Level], now_ms: int) -> None:
        """An order that was just taken gets what it takes; what is left rests or ends."""
        kind, complete = order.taken.ord_type, _complete(order, takes)
        if kind is OrderType.POST_ONLY and takes:
            self.end(books, order, CancelSource.POST_ONLY, now_ms)
            return
        if kind is not OrderType.FOK or complete:
            for place, take in enumerate(takes, start=1):
                done = complete and place == len(takes)
                self._fill(books, order, take, now_ms, done=done)
        if complete:
            self._protect(books, order, now_ms)
        elif kind in AT_ONCE or len(takes) == DEEPEST:
            self.end(books, order, AT_ONCE.get(kind, CancelSource.DEPTH), now_ms)

    def met(self, books: Books, order: Order, now_ms: int) -> None:
        """The price has come to a limit that rests: all that is left is filled at it."""
        rest = Level(order.taken.px or ZERO, order.left)
        self._fill(books, order, rest, now_ms, done=True, maker=True)
        self._protect(books, order, now_ms)

    def end(self, books: Books, order: Order, source: CancelSource, now_ms: int) -> None:
        """What is left of an order is cancelled; what was filled is protected."""
        self._ledger.record(
            Canceled(
                seq=self._ledger.next_seq,
                ts=now_ms,
                account=books.spec.key,
                ord_id=order.taken.ord_id,
                cancel_source=source,
            )
        )
        self._protect(books, order, now_ms)

    def _fill(
        self,
        books: Books,
        order: Order,
        take: Level,
        now_ms: int,
        *,
        done: bool,
        maker: bool = False,
    ) -> None:
        seq, rate = self._ledger.next_seq, MAKER if maker else TAKER
        buys = order.taken.side is Side.BUY
        self._ledger.record(
            Filled(
                seq=seq,
                ts=now_ms,
                account=books.spec.key,
                ord_id=order.taken.ord_id,
                trade_id=str(TRADES + seq),
                px=take.price,
                sz=take.size,
                fee=-rate * (take.size if buys else take.size * take.price),
                fee_ccy=order.listed.coin if buys else USDT,
                exec_type="M" if maker else "T",
                state=State.FILLED if done else State.PARTIAL,
            )
        )

    def _protect(self, books: Books, order: Order, now_ms: int) -> None:
        """Arm what was attached to an order that has ended, for what it brought after fees."""
        taken = order.taken
        if taken.protection is None or order.live or not order.filled:
            return
        buys = taken.side is Side.BUY
        sz = whole_lots(order.filled + (order.fee if buys else ZERO), order.listed.lot)
        if taken.refuse_protection or sz < order.listed.minimum:
            self._refuse_protection(books, order, now_ms)
            return
        wish = AlgoWish(
            inst_id=taken.inst_id,
            side=Side.SELL if buys else Side.BUY,
            sz=sz,
            protection=taken.protection,
            tag=taken.tag,
        )
        hidden_ms = max(0, taken.ts + taken.hidden_ms - now_ms)
        self._algos.arm(books, wish, now_ms, entry=taken.ord_id, hidden_ms=hidden_ms)

    def _refuse_protection(self, books: Books, order: Order, now_ms: int) -> None:
        self._ledger.record(
            ProtectionRefused(
                seq=self._ledger.next_seq,
                ts=now_ms,
                account=books.spec.key,
                ord_id=order.taken.ord_id,
                code=TOO_LATE if order.taken.refuse_protection else TOO_LITTLE,
            )
        )


def _complete(order: Order, takes: list[Level]) -> bool:
    """Whether takes are all of an order; of one in USDT, all but less than a lot's worth."""
    if order.taken.tgt_ccy is Target.BASE:
        return size_of(takes) == order.taken.sz
    left = order.taken.sz - value_of(takes)
    return bool(takes) and whole_lots(left / takes[-1].price, order.listed.lot) == 0
