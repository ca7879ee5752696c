"""The oracle of bots on paper: it reads fills and prices, and says what should not be."""

from dataclasses import replace
from decimal import Decimal

from chaos_matrix.case import Case
from chaos_matrix.paper_oracle import judge
from chaos_matrix.record import BotRecord
from chaos_matrix.verdict import Verdict, Wrong

from tests.unit.chaos.story import BTC, NOW_MS, PRICES, booked

ENDED = BotRecord(
    bot={
        "id": "b",
        "status": "stopped",
        "settings": {"capital": "10000", "mode": "paper", "limits": {"longest_hold_s": 600}},
        "cash": Decimal(10_000),
    },
    orders=[],
    fills=[],
    positions=[],
    dust=[],
    postings=[],
)


def judged(record: BotRecord, *, is_over: bool = True) -> Verdict:
    case = Case(record, (), PRICES, NOW_MS, late_ms=75_000, decides=True, is_over=is_over)
    return judge(case)


def test_a_bot_that_did_nothing_and_has_ended_leaves_no_doubt() -> None:
    assert judged(ENDED).sentences == ()


def test_a_stop_that_was_answered_and_not_obeyed_breaks_control() -> None:
    goes_on = replace(ENDED, bot={**ENDED.bot, "status": "closing"})
    assert judged(goes_on, is_over=False).sentences == ()
    assert judged(goes_on).sentences == ("control_broken: it was stopped, and has not ended",)


def test_a_bot_that_ended_and_still_holds_something_breaks_control() -> None:
    holds = replace(ENDED, positions=[{"symbol": BTC, "quantity": Decimal("0.01")}])
    assert judged(holds).count(Wrong.CONTROL) == 1
    assert judged(holds).drift_usdt > 0


def test_cash_that_no_fill_explains_is_adrift() -> None:
    less = replace(ENDED, bot={**ENDED.bot, "cash": Decimal("9999.999999999999")})
    assert judged(less).drift_usdt == Decimal("1E-12")


def test_a_fill_that_no_position_explains_is_adrift() -> None:
    order = {
        "id": "entry",
        "cycle": 1,
        "symbol": BTC,
        "purpose": "entry",
        "state": "filled",
        "quantity": Decimal("0.02"),
        "finished_at": NOW_MS,
        "stop": Decimal("0.02"),
        "target": Decimal("0.05"),
        "sent_at": 0,
    }
    fill = {**booked("entry", "t1", "0.02", "0.00002", "BTC"), "at": NOW_MS, "side": "buy"}
    bought = replace(
        ENDED,
        bot={**ENDED.bot, "cash": Decimal(9_000)},
        orders=[order],
        fills=[{**fill, "symbol": BTC}],
    )
    assert judged(bought).drift_usdt > 0
    holds = replace(bought, positions=[{"symbol": BTC, "quantity": Decimal("0.01998")}])
    assert judged(holds, is_over=False).sentences == ()
