"""What is done to algo orders, as events."""

from decimal import Decimal

from oxbot.simulator.private.books import Algo, Books, Order
from oxbot.simulator.private.events import (
    AlgoAmended,
    AlgoArmed,
    AlgoCanceled,
    AlgoFailed,
    AlgoTriggered,
)
from oxbot.simulator.private.ledger import ALGOS, Ledger
from oxbot.simulator.private.terms import Protection
from oxbot.simulator.private.waiting import Which
from oxbot.simulator.private.wishes import AlgoWish


class AlgoDeals:
    """Writes into a ledger what is done.

    Args:
        ledger: Where it is written.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def arm(
        self, books: Books, wish: AlgoWish, now_ms: int, *, entry: str = "", hidden_ms: int = 0
    ) -> Algo:
        """An algo order waits from now on; `entry` is the order that it was attached to."""
        seq = self._ledger.next_seq
        algo_id = str(ALGOS + seq)
        self._ledger.record(
            AlgoArmed(
                seq=seq,
                ts=now_ms,
                account=books.spec.key,
                algo_id=algo_id,
                inst_id=wish.inst_id,
                side=wish.side,
                sz=wish.sz,
                tgt_ccy=wish.tgt_ccy,
                protection=wish.protection,
                ord_id=entry,
                hidden_ms=hidden_ms,
                tag=wish.tag,
            )
        )
        return books.algos[algo_id]

    def amend(
        self, books: Books, algo: Algo, sz: Decimal, protection: Protection, now_ms: int
    ) -> None:
        """An algo order has another size or other triggers."""
        self._ledger.record(
            AlgoAmended(
                seq=self._ledger.next_seq,
                ts=now_ms,
                account=books.spec.key,
                algo_id=algo.armed.algo_id,
                sz=sz,
                protection=protection,
            )
        )

    def cancel(self, books: Books, algo: Algo, now_ms: int) -> None:
        """An algo order waits no longer."""
        seq, key = self._ledger.next_seq, books.spec.key
        self._ledger.record(
            AlgoCanceled(seq=seq, ts=now_ms, account=key, algo_id=algo.armed.algo_id)
        )

    def triggered(self, books: Books, algo: Algo, which: Which, order: Order, now_ms: int) -> None:
        """An algo order has become an order."""
        self._ledger.record(
            AlgoTriggered(
                seq=self._ledger.next_seq,
                ts=now_ms,
                account=books.spec.key,
                algo_id=algo.armed.algo_id,
                actual_side=which,
                ord_id=order.taken.ord_id,
            )
        )

    def failed(self, books: Books, algo: Algo, which: Which, code: str, now_ms: int) -> None:
        """An algo order's price has come, and its order is refused."""
        self._ledger.record(
            AlgoFailed(
                seq=self._ledger.next_seq,
                ts=now_ms,
                account=books.spec.key,
                algo_id=algo.armed.algo_id,
                actual_side=which,
                code=code,
            )
        )
