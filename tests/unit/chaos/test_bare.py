"""How long a coin had no stop is read from the exchange's log, to the millisecond."""

import pytest
from chaos_matrix.bare import bare_ms
from chaos_matrix.verdict import Wrong

from tests.unit.chaos.story import (
    BOUGHT,
    BTC,
    HOLDS,
    NOW_MS,
    PRICES,
    SOLD,
    Json,
    armed,
    filled,
    judged,
    taken,
    told,
)

NAMES = frozenset({"entry", "exit", "stop", "next"})


def at(ms: int, *events: Json) -> list[Json]:
    """Events that happen so many ms after the story has begun."""
    return [{**event, "ts": NOW_MS + ms} for event in events]


def longest(*events: list[Json], now: int = 0) -> int:
    happened = told([event for each in events for event in each])
    return bare_ms(happened, NAMES, PRICES, NOW_MS + now)[BTC]


def test_a_stop_that_comes_with_the_fill_leaves_no_gap() -> None:
    assert longest(at(0, *BOUGHT), now=60_000) == 0


def test_from_the_cancel_to_the_sale_there_is_no_stop() -> None:
    cancel, order, fill = SOLD
    assert longest(at(0, *BOUGHT), at(1_000, cancel), at(3_500, order, fill), now=9_000) == 2_500


def test_a_stop_that_comes_late_ends_the_gap() -> None:
    late = armed("a2", "next")
    assert longest(at(0, *BOUGHT[:2]), at(7_000, late), now=60_000) == 7_000


def test_what_is_bare_now_counts_up_to_now() -> None:
    assert longest(at(0, *BOUGHT[:2]), now=4_000) == 4_000


def test_a_stop_for_less_than_all_of_it_is_none() -> None:
    assert longest(at(0, *BOUGHT[:2], armed("a1", "stop", "0.01")), now=5_000) == 5_000


def test_what_a_triggered_stop_sells_in_the_same_moment_was_not_bare() -> None:
    end = {"event": "algo_triggered", "account": "chaos", "algoId": "a1"}
    sale = taken("2", "", "sell", sz="0.01998", algoId="a1")
    sold = at(2_000, sale, end, filled("2", "sell", "0.01998"))
    assert longest(at(0, *BOUGHT), sold, now=9_000) == 0


@pytest.mark.parametrize(("allowed", "count"), [(4_000, 0), (3_999, 1)])
def test_what_was_bare_for_longer_than_allowed_is_naked(allowed: int, count: int) -> None:
    events = [*at(-4_000, *BOUGHT[:2]), *at(0, BOUGHT[2])]
    assert judged(events, HOLDS, bare_ms=allowed).count(Wrong.NAKED) == count
