"""Stops and targets as OKX writes them, both ways: one algo order, of two ways out or of one."""

from typing import Final

from oxbot.adapters.okx.asked import Row
from oxbot.adapters.okx.order_errors import unknown
from oxbot.adapters.okx.order_rows import AT_MARKET, amount, text, time_of
from oxbot.adapters.okx.parse import inst_id_of
from oxbot.domain.money import Price, Quantity, plain
from oxbot.domain.orders import Purpose, Side
from oxbot.domain.resting import SIGNED_FOR_MS, RestingStop, SeenState, SeenStop

KINDS: Final = ("oco", "conditional")
"""OKX's kinds of them: with both ways out, and with one."""

ALIVE: Final = frozenset({"live", "pause"})
TRIGGERED: Final = frozenset({"effective", "partially_effective"})
ENDED: Final = ("effective", "canceled", "order_failed")

_WAYS: Final = {"sl": Purpose.STOP, "tp": Purpose.TARGET}


def stop_body(stop: RestingStop) -> dict[str, str]:
    """Write a stop and target as OKX takes them; both sell at market.

    `clOrdId` is given because ccxt makes one up where there is none.
    """
    return {
        "instId": inst_id_of(stop.symbol),
        "tdMode": "cash",
        "side": str(Side.SELL),
        "ordType": "oco",
        "sz": plain(stop.quantity),
        "algoClOrdId": stop.id,
        "clOrdId": stop.id,
        "slTriggerPx": plain(stop.stop_price),
        "slOrdPx": AT_MARKET,
        "tpTriggerPx": plain(stop.target_price),
        "tpOrdPx": AT_MARKET,
    }


def change_body(stop: RestingStop) -> dict[str, str]:
    """Write the size and the prices that a stop shall have."""
    return {
        "instId": inst_id_of(stop.symbol),
        "algoClOrdId": stop.id,
        "newSz": plain(stop.quantity),
        "newSlTriggerPx": plain(stop.stop_price),
        "newSlOrdPx": AT_MARKET,
        "newTpTriggerPx": plain(stop.target_price),
        "newTpOrdPx": AT_MARKET,
    }


def must_be_stop(stop: RestingStop, row: Row) -> None:
    """Make sure that a row is of this stop.

    Raises:
        OutcomeUnknown: It is of another; a person has to look.
    """
    expected = {
        "instId": inst_id_of(stop.symbol),
        "algoClOrdId": stop.id,
        "side": str(Side.SELL),
    }
    wrong = [name for name, value in expected.items() if row.get(name) != value]
    if wrong:
        raise unknown(f"the stop that OKX has under its id differs in {', '.join(wrong)}")


def changed_ms(row: Row) -> int:
    """Read when a stop changed last (venue ms); one that does not say it may be new."""
    return time_of(row, "uTime")


def is_older(stop: RestingStop, row: Row) -> bool:
    """Whether a row is of one that was over before this stop was sent.

    Ids come again where the record was lost and a bot is made anew under its old id. One that was
    alive then keeps this stop from being taken, and acts in its place.
    """
    return row.get("state") not in ALIVE and changed_ms(row) < stop.fence_ms - SIGNED_FOR_MS


def resting_as(row: Row) -> SeenStop:
    """Read what a stop that is alive would do.

    Raises:
        OutcomeUnknown: It cannot be read.
    """
    return SeenStop(
        state=SeenState.RESTING,
        quantity=Quantity(amount(row, "sz")),
        stop_price=_price(row, "slTriggerPx", "slOrdPx"),
        target_price=_price(row, "tpTriggerPx", "tpOrdPx"),
    )


def _price(row: Row, trigger: str, limit: str) -> Price | None:
    """Read a way out; None where there is none, or not one that sells at market."""
    if not row.get(trigger) or row.get(limit) != AT_MARKET:
        return None
    return Price(amount(row, trigger))


def over_as(row: Row) -> SeenStop:
    """Read why a stop that traded nothing is over."""
    said = [str(row[name]) for name in ("state", "failCode") if row.get(name)]
    return SeenStop(state=SeenState.OVER, reason=f"OKX says: {', '.join(said)}")


def refused_as(stop: RestingStop, order: Row) -> SeenStop | None:
    """Read from an entry's row why OKX refused the stop attached to it; None where it does not."""
    attached = order.get("attachAlgoOrds")
    for guard in attached if isinstance(attached, list) else []:
        named = isinstance(guard, dict) and guard.get("attachAlgoClOrdId") == stop.id
        if named and guard.get("failCode") not in (None, "", "0"):
            reason = f"OKX refused it with the entry: {guard['failCode']}"
            return SeenStop(state=SeenState.OVER, reason=reason)
    return None


def way_out(row: Row) -> Purpose:
    """Read which way out a triggered stop took.

    Raises:
        OutcomeUnknown: It does not say.
    """
    taken = text(row, "actualSide")
    if taken not in _WAYS:
        raise unknown(f"the stop was triggered as {taken!r}")
    return _WAYS[taken]
