"""The oracle of the matrix: it has nothing against a sound story, and sees each way to bend it."""

from dataclasses import replace
from decimal import Decimal

import pytest
from chaos_matrix.verdict import Asked, Wrong

from tests.unit.chaos.story import (
    BOUGHT,
    BTC,
    HOLDS,
    IS_FLAT,
    NOW_MS,
    SOLD,
    armed,
    filled,
    judged,
    taken,
)


@pytest.mark.parametrize(("events", "record"), [(BOUGHT, HOLDS), ([*BOUGHT, *SOLD], IS_FLAT)])
def test_a_sound_story_leaves_no_doubt(events: list[dict[str, object]], record: object) -> None:
    assert judged(events, record).sentences == ()  # type: ignore[arg-type]


def test_an_order_that_was_taken_twice_is_doubled() -> None:
    again = [taken("9", "entry"), filled("9")]
    verdict = judged([*BOUGHT, *again], HOLDS)
    assert verdict.count(Wrong.DOUBLED) == 3
    assert verdict.drift_usdt > 0


def test_a_sale_of_more_than_is_held_is_doubled() -> None:
    again = [taken("9", "exit", "sell"), filled("9", "sell")]
    assert judged([*BOUGHT, *SOLD, *again], IS_FLAT).count(Wrong.DOUBLED) >= 1


def test_a_trade_that_is_not_booked_is_lost() -> None:
    unbooked = replace(HOLDS, fills=[])
    assert judged(BOUGHT, unbooked).count(Wrong.LOST) == 1


def test_a_trade_that_never_happened_is_lost() -> None:
    assert judged([], replace(HOLDS, positions=[])).count(Wrong.LOST) == 1


def test_an_order_that_is_alive_at_rest_is_lost() -> None:
    assert judged([*BOUGHT, taken("9", "exit", "sell")], HOLDS).count(Wrong.LOST) == 1


@pytest.mark.parametrize("stop", [[], [armed("a1", "stop", "0.01")]])
def test_a_position_without_a_stop_for_all_of_it_is_naked(stop: list[dict[str, object]]) -> None:
    verdict = judged([*BOUGHT[:2], *stop], HOLDS)
    assert verdict.count(Wrong.NAKED) == 1
    assert len(verdict.sentences) == 1


def test_a_stop_that_outlives_its_position_is_wrong() -> None:
    assert judged([*BOUGHT, *SOLD[1:]], IS_FLAT).count(Wrong.EXIT) == 1


def test_a_stop_of_the_wrong_size_that_sold_is_a_wrong_exit() -> None:
    sold = [taken("2", "", "sell", sz="0.01", algoId="a1"), filled("2", "sell", "0.01")]
    assert judged([*BOUGHT, *sold], HOLDS).count(Wrong.EXIT) >= 1


def test_an_entry_after_a_pause_was_answered_breaks_control() -> None:
    asked = Asked(verb="pause", venue_ms=NOW_MS - 1, wall_ms=0)
    assert judged(BOUGHT, HOLDS, (asked,)).count(Wrong.CONTROL) == 1


def test_an_entry_that_the_answer_named_as_under_way_does_not() -> None:
    asked = Asked(verb="pause", venue_ms=NOW_MS - 1, wall_ms=0, in_flight=("entry",))
    assert judged(BOUGHT, HOLDS, (asked,)).count(Wrong.CONTROL) == 0


def test_cash_that_differs_is_adrift_to_the_last_digit() -> None:
    off = {**HOLDS.bot, "cash": Decimal("9000.000000000001")}
    assert judged(BOUGHT, replace(HOLDS, bot=off)).drift_usdt == Decimal("1E-12")


def test_coins_that_are_missing_are_adrift_at_their_price() -> None:
    less = replace(HOLDS, positions=[{"symbol": BTC, "quantity": Decimal("0.01")}])
    assert judged(BOUGHT, less).drift_usdt > 0


@pytest.mark.parametrize("where", [{"stop": "48999.8"}, {"stop": "0.1"}, {"target": "52500.2"}])
def test_a_guard_that_lies_elsewhere_is_wrong(where: dict[str, str]) -> None:
    verdict = judged([*BOUGHT[:2], armed("a1", "stop", **where)], HOLDS)
    assert verdict.count(Wrong.EXIT) == 1
    assert len(verdict.sentences) == 1


@pytest.mark.parametrize("where", [{"stop": "48999.9"}, {"target": "52500.1"}])
def test_a_guard_may_lie_a_tick_off(where: dict[str, str]) -> None:
    assert judged([*BOUGHT[:2], armed("a1", "stop", **where)], HOLDS).sentences == ()
