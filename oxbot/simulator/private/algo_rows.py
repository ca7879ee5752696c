"""OKX's rows about algo orders; every number is a string."""

from typing import Final

from oxbot.simulator.instruments import SPOT, plain
from oxbot.simulator.private.books import Algo, Books
from oxbot.simulator.private.events import AlgoFailed, AlgoTriggered
from oxbot.simulator.private.rows import Row, average, protection_fields

BLANK: Final = dict.fromkeys(
    (
        "activePx",
        "amendPxOnTriggerType",
        "callbackRatio",
        "callbackSpread",
        "ccy",
        "closeFraction",
        "lever",
        "moveTriggerPx",
        "ordPx",
        "posSide",
        "pxLimit",
        "pxSpread",
        "pxVar",
        "quickMgnType",
        "szLimit",
        "timeInterval",
        "triggerPx",
        "triggerPxType",
    ),
    "",
)


def kind_of(algo: Algo) -> str:
    """OKX's ordType of an algo order."""
    both = algo.protection.stop is not None and algo.protection.target is not None
    return "oco" if both else "conditional"


def algo_row(books: Books, algo: Algo) -> Row:
    """One algo order, as trade/order-algo shows it."""
    armed = algo.armed
    return {
        **BLANK,
        **protection_fields(algo.protection),
        **_outcome(books, algo),
        "instType": SPOT,
        "instId": armed.inst_id,
        "algoId": armed.algo_id,
        "algoClOrdId": algo.protection.cl_ord_id,
        "clOrdId": "",
        "tag": armed.tag,
        "side": armed.side,
        "ordType": kind_of(algo),
        "tdMode": "cash",
        "tgtCcy": armed.tgt_ccy,
        "sz": plain(algo.sz),
        "state": algo.state,
        "reduceOnly": "false",
        "attachAlgoOrds": [],
        "linkedOrd": {"ordId": ""},
        "cTime": str(armed.ts),
        "uTime": str(algo.updated_ms),
    }


def _outcome(books: Books, algo: Algo) -> Row:
    """What became of an algo order: the order that came of it, or why there is none."""
    ended = algo.ended
    names = ("actualSide", "actualPx", "triggerTime", "failCode", "ordId")
    none: Row = {**dict.fromkeys(names, ""), "actualSz": "0", "ordIdList": []}
    if isinstance(ended, AlgoFailed):
        fields = {"actualSide": ended.actual_side, "failCode": ended.code}
        return {**none, **fields, "triggerTime": str(ended.ts)}
    if not isinstance(ended, AlgoTriggered):
        return none
    order = books.orders[ended.ord_id]
    return {
        **none,
        "actualSide": ended.actual_side,
        "actualSz": plain(order.filled),
        "actualPx": plain(average(order)) if order.filled else "",
        "triggerTime": str(ended.ts),
        "ordId": ended.ord_id,
        "ordIdList": [ended.ord_id],
    }
