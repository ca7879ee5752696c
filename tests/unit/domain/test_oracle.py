"""What candles alone say of a position's end, held against prices of which every one is known."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxbot.domain.market import Candle
from oxbot.domain.money import Price, Quantity, to_scale
from oxbot.domain.oracle import Judgement, Round, judge
from oxbot.domain.orders import Purpose
from tests.support.examples import examples

LENGTH_MS = 10
"""A price for each ms, so that a candle is made of ten."""


def candles_of(prices: Sequence[int]) -> list[Candle]:
    """Candles of prices in USDT, the first of which holds at 0 ms."""
    parts = [prices[at : at + LENGTH_MS] for at in range(0, len(prices), LENGTH_MS)]
    return [
        Candle(
            open_ms=number * LENGTH_MS,
            open=Price(part[0]),
            high=Price(max(part)),
            low=Price(min(part)),
            close=Price(part[-1]),
            volume=Quantity(1),
        )
        for number, part in enumerate(parts)
    ]


def candle(number: int, opens: int, high: int, low: int, close: int) -> Candle:
    return Candle(
        open_ms=number * LENGTH_MS,
        open=Price(opens),
        high=Price(high),
        low=Price(low),
        close=Price(close),
        volume=Quantity(1),
    )


def held(**fields: object) -> Round:
    """A position of 100 USDT a coin with its stop at 95 and its target at 110."""
    usual = {
        "bot_id": "r001",
        "symbol": "BTC/USDT",
        "entry_price": "100",
        "stop": "0.05",
        "target": "0.1",
        "opened_ms": 0,
    }
    return Round.model_validate({**usual, **fields})


def judged(
    position: Round, *candles: Candle, end_ms: int | None = None
) -> tuple[Judgement, int] | None:
    """The judgement and the number of its candle."""
    end = len(candles) * LENGTH_MS if end_ms is None else end_ms
    closing = candle(len(candles), 100, 100, 100, 100)
    finding = judge(position, [*candles, closing], LENGTH_MS, end)
    if finding is None:
        return None
    return finding.judgement, finding.candle_ms // LENGTH_MS


def ended(purpose: str, at_ms: int, **fields: object) -> Round:
    return held(exit=purpose, closed_ms=at_ms, **fields)


QUIET = candle(0, 100, 101, 99, 100)
STOPPED = candle(1, 100, 101, 94, 97)
WILD = candle(1, 100, 111, 94, 97)


def test_a_stop_in_its_candle_is_met_and_in_a_later_one_late() -> None:
    assert judged(ended("stop", 15), QUIET, STOPPED) == (Judgement.MET, 1)
    later = candle(2, 97, 97, 93, 96)
    assert judged(ended("stop", 25), QUIET, STOPPED, later) == (Judgement.LATE, 1)


def test_a_stop_that_no_price_reached_is_unfounded() -> None:
    assert judged(ended("stop", 5), QUIET) == (Judgement.UNFOUNDED, 0)
    assert judged(ended("target", 15), QUIET, STOPPED) == (Judgement.UNFOUNDED, 1)


def test_the_stop_that_a_live_entry_brought_may_act_where_it_lay_first() -> None:
    near = candle(1, 100, 101, 96, 97)
    assert judged(ended("stop", 15), QUIET, near) == (Judgement.UNFOUNDED, 1)
    assert judged(ended("stop", 15, limit_price="102"), QUIET, near) == (Judgement.MET, 1)
    assert judged(ended("stop", 15, limit_price="101"), QUIET, near) == (Judgement.UNFOUNDED, 1)


def test_where_a_live_entrys_stop_lay_first_it_need_not_have_acted() -> None:
    near = candle(1, 100, 101, 96, 97)
    assert judged(ended("decision", 25, limit_price="102"), QUIET, near, QUIET) is None
    late = candle(2, 97, 97, 94, 96)
    assert judged(ended("stop", 25, limit_price="102"), QUIET, near, late) == (Judgement.MET, 2)


def test_a_guard_that_was_met_and_did_not_end_the_position_is_missed() -> None:
    assert judged(ended("decision", 25), QUIET, STOPPED, QUIET) == (Judgement.MISSED, 1)
    assert judged(held(), QUIET, STOPPED) == (Judgement.MISSED, 1)


def test_a_position_that_ended_before_its_candle_was_over_missed_nothing() -> None:
    assert judged(ended("hold", 15), QUIET, STOPPED) is None
    assert judged(held(), QUIET, STOPPED, end_ms=15) is None


def test_where_one_candle_has_both_extremes_either_exit_is_met() -> None:
    for purpose in ("stop", "target"):
        assert judged(ended(purpose, 15), QUIET, WILD) == (Judgement.MET, 1)
    assert judged(held(), QUIET, WILD) == (Judgement.MISSED, 1)


def test_a_candle_that_opens_beyond_a_guard_leaves_no_choice() -> None:
    gap = candle(1, 94, 111, 93, 97)
    assert judged(ended("stop", 10), QUIET, gap) == (Judgement.MET, 1)
    assert judged(ended("target", 15), QUIET, gap) == (Judgement.UNFOUNDED, 1)
    assert judged(ended("hold", 15), QUIET, gap) == (Judgement.MISSED, 1)
    assert judged(held(), QUIET, gap, end_ms=10) == (Judgement.MISSED, 1)


def test_of_the_candle_of_the_entry_only_the_close_is_known_to_be_later() -> None:
    dipped, fallen = candle(0, 100, 101, 94, 99), candle(0, 100, 101, 94, 95)
    assert judged(ended("stop", 8, opened_ms=5), dipped) == (Judgement.MET, 0)
    assert judged(held(opened_ms=5), dipped) is None
    assert judged(held(opened_ms=5), fallen) == (Judgement.MISSED, 0)


def test_a_trail_follows_the_highs_before_its_candle_and_that_candles_own_to_its_close() -> None:
    risen, fallen = candle(1, 100, 108, 100, 108), candle(2, 108, 108, 105, 108)
    trailing = {"trail": "0.02"}
    assert judged(ended("trail", 25, **trailing), QUIET, risen, fallen) == (Judgement.MET, 2)
    assert judged(held(**trailing), QUIET, risen, fallen) == (Judgement.MISSED, 2)
    swings = candle(1, 100, 108, 99, 104)
    assert judged(held(**trailing), QUIET, swings) == (Judgement.MISSED, 1)
    low_first = candle(1, 100, 103, 99, 103)
    assert judged(held(**trailing), QUIET, low_first, end_ms=19) is None


def truth(prices: Sequence[int], position: Round) -> tuple[int, Purpose] | None:
    """What a look at every price says: when the first guard is met, and which."""
    best = position.entry_price
    for ms in range(position.opened_ms, len(prices)):
        bid = Price(prices[ms])
        best = max(best, bid)
        if bid <= to_scale(position.entry_price * (1 - position.stop)):
            return ms, Purpose.STOP
        if position.trail and bid <= to_scale(best * (1 - position.trail)):
            return ms, Purpose.TRAIL
        if bid >= to_scale(position.entry_price * (1 + position.target)):
            return ms, Purpose.TARGET
    return None


ways = st.lists(st.integers(-4, 4), min_size=60, max_size=60).map(
    lambda moves: [100 + sum(moves[: at + 1]) for at in range(len(moves))]
)
positions = st.builds(
    held,
    entry_price=st.integers(98, 102),
    stop=st.sampled_from(["0.02", "0.05", "0.08"]),
    target=st.sampled_from(["0.02", "0.06", "0.1"]),
    trail=st.sampled_from([None, "0.02", "0.04"]),
    opened_ms=st.integers(0, 55),
)


@pytest.mark.critical
@settings(max_examples=examples(300))
@given(ways, positions, st.integers(0, 59))
def test_what_truly_happened_is_never_doubted(
    prices: list[int], position: Round, until_ms: int
) -> None:
    """The market is cut at a moment, as a replay's end or a decision cuts it."""
    end_ms = max(until_ms, position.opened_ms)
    met = truth(prices[: end_ms + 1], position)
    candles = candles_of(prices)[position.opened_ms // LENGTH_MS :]
    if met is None:
        decided = position.model_copy(update={"closed_ms": end_ms, "exit": Purpose.DECISION})
        assert judge(decided, candles, LENGTH_MS, len(prices)) is None
        assert judge(position, candles, LENGTH_MS, end_ms) is None
        return
    at_ms, purpose = met
    closed = position.model_copy(update={"closed_ms": at_ms, "exit": purpose})
    finding = judge(closed, candles, LENGTH_MS, end_ms)
    assert finding is not None
    assert (finding.judgement, finding.candle_ms) == (
        Judgement.MET,
        at_ms // LENGTH_MS * LENGTH_MS,
    )


@given(ways, positions)
def test_a_candle_too_late_is_noticed_wherever_the_candles_are_certain(
    prices: list[int], position: Round
) -> None:
    met = truth(prices, position)
    if met is None or met[0] + LENGTH_MS >= len(prices):
        return
    at_ms, purpose = met
    later = position.model_copy(update={"closed_ms": at_ms + LENGTH_MS, "exit": purpose})
    opened_in = position.opened_ms // LENGTH_MS
    candles = candles_of(prices)[opened_in:]
    finding = judge(later, candles, LENGTH_MS, len(prices))
    low_or_high_was_met = purpose is not Purpose.TRAIL and at_ms // LENGTH_MS > opened_in
    if low_or_high_was_met:
        assert finding is not None
        assert finding.judgement is Judgement.LATE
        assert finding.candle_ms == at_ms // LENGTH_MS * LENGTH_MS
