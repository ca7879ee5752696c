"""One live bot's story as the simulator's log and the record have it; a test bends it."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from chaos_matrix.case import Case
from chaos_matrix.happened import Happened
from chaos_matrix.live_oracle import LiveCase, judge_live
from chaos_matrix.prices import Prices
from chaos_matrix.record import BotRecord
from chaos_matrix.verdict import Asked, Verdict

NOW_MS = 1_735_700_000_000
PRICES = Prices(7)
BTC = "BTC/USDT"

Json = dict[str, Any]

COMMON: Json = {"account": "chaos", "ts": NOW_MS}


def taken(order_id: str, name: str, side: str = "buy", **more: object) -> Json:
    row = {"event": "order", "ordId": order_id, "clOrdId": name, "instId": "BTC-USDT"}
    return {**COMMON, **row, "side": side, "sz": "0.02", "algoId": "", "seq": 1, **more}


def filled(order_id: str, side: str = "buy", size: str = "0.02", trade: str = "") -> Json:
    fee = {"fee": "-0.00002", "feeCcy": "BTC"} if side == "buy" else {"fee": "-1", "feeCcy": "USDT"}
    row = {"event": "fill", "ordId": order_id, "tradeId": trade or f"t{order_id}", "px": "50000"}
    return {**COMMON, **row, "sz": size, "state": "filled", **fee}


def armed(
    algo_id: str, name: str, size: str = "0.01998", stop: str = "49000", target: str = "52500"
) -> Json:
    guards = {"clOrdId": name, "stop": {"trigger": stop}, "target": {"trigger": target}}
    row = {"event": "algo", "algoId": algo_id, "instId": "BTC-USDT", "sz": size}
    return {**COMMON, **row, "side": "sell", "protection": guards}


BOUGHT = [taken("1", "entry"), filled("1"), armed("a1", "stop")]
"""It bought, and its stop rests."""

SOLD = [
    {**COMMON, "event": "algo_canceled", "algoId": "a1"},
    taken("2", "exit", "sell", sz="0.01998"),
    filled("2", "sell", "0.01998"),
]
"""The stop was taken back, and the position sold."""

GUARDS: Json = {"stop": Decimal("0.02"), "target": Decimal("0.05")}
ENTRY: Json = {"id": "entry", "cycle": 1, "symbol": BTC, "purpose": "entry", **GUARDS}
EXIT: Json = {"id": "exit", "cycle": 2, "symbol": BTC, "purpose": "decision"}


def booked(order_id: str, trade: str, size: str, fee: str, currency: str) -> Json:
    row: Json = {"order_id": order_id, "trade_id": trade, "fee_currency": currency}
    return {**row, "price": Decimal(50000), "quantity": Decimal(size), "fee": Decimal(fee)}


HOLDS = BotRecord(
    bot={
        "id": "b",
        "status": "paused",
        "settings": {"capital": "10000", "mode": "live"},
        "cash": Decimal(9000),
    },
    orders=[ENTRY],
    fills=[booked("entry", "t1", "0.02", "0.00002", "BTC")],
    positions=[{"symbol": BTC, "quantity": Decimal("0.01998")}],
    dust=[],
    postings=[],
)
"""What is on record of a bot that has bought."""

IS_FLAT = replace(
    HOLDS,
    bot={**HOLDS.bot, "cash": Decimal(9998)},
    orders=[ENTRY, EXIT],
    fills=[*HOLDS.fills, booked("exit", "t2", "0.01998", "1", "USDT")],
    positions=[],
)
"""What is on record of one that has sold as well."""


def judged(
    events: list[Json],
    record: BotRecord,
    asked: tuple[Asked, ...] = (),
    bare_ms: int = 0,
    *,
    is_over: bool = False,
) -> Verdict:
    names = frozenset({"entry", "exit", "stop"})
    case = Case(
        record,
        asked,
        PRICES,
        NOW_MS,
        late_ms=75_000,
        decides=True,
        bare_ms=bare_ms,
        is_over=is_over,
    )
    story: Mapping[str, Any] = {"names": names}
    return judge_live(LiveCase(case=case, happened=told(events), **story))


def told(events: list[Json]) -> Happened:
    happened = Happened()
    happened.hear({**event, "seq": number} for number, event in enumerate(events, 1))
    return happened
