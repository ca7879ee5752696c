"""The oracle of exits: a hold that did not end, and stops that nothing crossed."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from chaos_matrix.case import Case
from chaos_matrix.paper_oracle import judge
from chaos_matrix.record import BotRecord, Row
from chaos_matrix.verdict import Verdict, Wrong

from tests.unit.chaos.story import BTC, GUARDS, NOW_MS, PRICES, booked

HOLD_S = 600
LATE_MS = 300_000
LAST_MS = HOLD_S * 1000 + LATE_MS
"""For how long a position may be there at most."""

WHOLE, CRUMB = "0.02", "0.000005"
"""What can be sold, and what is more than a lot and less than the smallest order."""


def story(*trades: tuple[str, str, int], size: str = WHOLE) -> BotRecord:
    """Tell of fills, each by its order's id and purpose and how long ago (ms) it was.

    All are at a price far below the market, so that nothing crosses a stop.
    """
    orders: list[Row] = []
    fills: list[Row] = []
    for order_id, purpose, ago_ms in trades:
        side = "buy" if purpose == "entry" else "sell"
        row = {"id": order_id, "cycle": len(orders), "symbol": BTC, "purpose": purpose, **GUARDS}
        ended = {"state": "filled", "finished_at": NOW_MS, "sent_at": 0}
        orders.append({**row, **ended, "quantity": Decimal(size)})
        fill = booked(order_id, f"t-{order_id}", size, "0", "USDT")
        fills.append(
            {**fill, "symbol": BTC, "side": side, "at": NOW_MS - ago_ms, "price": Decimal(1)}
        )
    limits = {"limits": {"longest_hold_s": HOLD_S}, "capital": "10000", "mode": "paper"}
    bot = {"id": "b", "status": "paused", "settings": limits, "cash": Decimal(10_000)}
    return BotRecord(bot=bot, orders=orders, fills=fills, positions=[], dust=[], postings=[])


def judged(record: BotRecord, *, has_no_stop: bool = False) -> Verdict:
    case = Case(
        record,
        (),
        PRICES,
        NOW_MS,
        late_ms=LAST_MS * 2,
        decides=True,
        has_no_stop=has_no_stop,
        hold_late_ms=LATE_MS,
    )
    return judge(case)


@pytest.mark.parametrize(("ago_ms", "count"), [(LAST_MS, 0), (LAST_MS + 1, 1)])
def test_what_is_held_for_much_longer_than_allowed_is_a_wrong_exit(ago_ms: int, count: int) -> None:
    assert judged(story(("a", "entry", ago_ms))).count(Wrong.EXIT) == count


@pytest.mark.parametrize(("after_ms", "count"), [(LAST_MS, 0), (LAST_MS + 1, 1)])
def test_what_was_sold_much_later_than_allowed_is_a_wrong_exit(after_ms: int, count: int) -> None:
    sold = story(("a", "entry", 60_000 + after_ms), ("b", "decision", 60_000))
    assert judged(sold).count(Wrong.EXIT) == count


def test_what_is_too_little_to_be_sold_may_be_held_on() -> None:
    assert judged(story(("a", "entry", LAST_MS + 1), size=CRUMB)).count(Wrong.EXIT) == 0


BY_STOPS: Sequence[tuple[str, str, int]] = (
    ("a", "entry", 40_000),
    ("b", "stop", 30_000),
    ("c", "entry", 20_000),
    ("d", "stop", 10_000),
)
"""Two positions, each sold by a stop that nothing has crossed."""


@pytest.mark.parametrize(
    ("trades", "has_no_stop", "count"),
    [
        (BY_STOPS[:2], False, 1),
        (BY_STOPS[:2], True, 0),
        (BY_STOPS, True, 1),
    ],
)
def test_an_exchange_that_takes_no_stop_excuses_the_sale_of_one_position(
    trades: Sequence[tuple[str, str, int]], *, has_no_stop: bool, count: int
) -> None:
    assert judged(story(*trades), has_no_stop=has_no_stop).count(Wrong.EXIT) == count
