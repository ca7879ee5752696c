"""Guards: what a price sets off, and what candles tell of a stretch that nobody watched."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.domain.guards import Crossing, Guard, crossed_in_candles
from oxbot.domain.market import CANDLE_MS, Candle
from oxbot.domain.money import Price, Quantity
from oxbot.domain.orders import Purpose
from oxbot.domain.portfolio import Direction
from tests.support.trading import BTC

OPENED_MS = 1_000 * CANDLE_MS


def guard(**changes: object) -> Guard:
    """A position opened at 100 with its stop at 96.5 and its target at 107."""
    plain: dict[str, object] = {
        "bot_id": "b1",
        "symbol": BTC,
        "opened_ms": OPENED_MS,
        "version": 1,
        "stop_price": Price("96.5"),
        "target_price": Price(107),
        "hold_until_ms": OPENED_MS + 13_800_000,
    }
    return Guard.model_validate(plain | changes)


def candle(*prices: object, number: int = 0) -> Candle:
    """Open, high, low, close of the candle so many after the opening."""
    opened, high, low, close = (Price(str(price)) for price in prices)
    return Candle(
        open_ms=OPENED_MS + number * CANDLE_MS,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=Quantity(1),
    )


def found(guard: Guard, *candles: Candle) -> tuple[Purpose, Price | None, int] | None:
    """Purpose, resting price, and candles since the opening."""
    crossing = crossed_in_candles(guard, candles)
    if crossing is None:
        return None
    assert crossing.resting == crossing.price
    return crossing.purpose, crossing.price, (crossing.at_ms - OPENED_MS) // CANDLE_MS


@pytest.mark.critical
@pytest.mark.parametrize(
    ("bid", "purpose"),
    [
        ("96.6", None),
        ("96.5", Purpose.STOP),
        ("1", Purpose.STOP),
        ("106.9", None),
        ("107", Purpose.TARGET),
    ],
)
def test_a_bid_sets_the_stop_off_at_or_below_it_and_the_target_at_or_above_it(
    bid: str, purpose: Purpose | None
) -> None:
    assert guard().purpose_at(Price(bid)) is purpose


def test_a_trailing_stop_lies_its_fraction_below_the_best_bid() -> None:
    trailing = guard(trail=Decimal("0.02"), best=Price(105))
    assert trailing.trail_price == Price("102.9")
    assert trailing.purpose_at(Price("102.9")) is Purpose.TRAIL
    assert trailing.purpose_at(Price("102.91")) is None
    assert trailing.purpose_at(Price("96.5")) is Purpose.STOP


def test_a_stretch_within_stop_and_target_sets_nothing_off() -> None:
    assert found(guard(), candle(100, 106, 97, 99), candle(99, 101, 98, 100, number=1)) is None


@pytest.mark.critical
def test_a_stop_that_a_candle_went_through_fills_at_its_price() -> None:
    calm, falling = candle(100, 101, 99, 100), candle(100, 100, 90, 95, number=1)
    assert found(guard(), calm, falling) == (Purpose.STOP, Price("96.5"), 2)


@pytest.mark.critical
def test_a_candle_that_opens_below_the_stop_fills_it_at_the_open() -> None:
    assert found(guard(), candle(93, 110, 90, 95)) == (Purpose.STOP, Price(93), 0)


@pytest.mark.critical
def test_within_one_candle_the_stop_beats_the_target() -> None:
    assert found(guard(), candle(100, 110, 90, 105)) == (Purpose.STOP, Price("96.5"), 1)


def test_a_target_never_fills_better_than_its_price() -> None:
    assert found(guard(), candle(100, 110, 99, 105)) == (Purpose.TARGET, Price(107), 1)
    assert found(guard(), candle(120, 121, 119, 120)) == (Purpose.TARGET, Price(107), 0)


def test_a_candle_that_opened_before_the_position_tells_nothing_of_it() -> None:
    before = candle(100, 200, 1, 100, number=-1)
    later = guard(opened_ms=OPENED_MS + 1)
    assert found(guard(), before) is None
    assert found(later, candle(100, 200, 1, 100)) is None


def test_the_first_of_several_crossings_counts() -> None:
    rising, falling = candle(100, 108, 99, 100), candle(100, 100, 90, 95, number=1)
    assert found(guard(), rising, falling) == (Purpose.TARGET, Price(107), 1)


def test_a_high_pulls_the_trailing_stop_up_for_the_close_but_not_for_the_low() -> None:
    trailing = guard(trail=Decimal("0.02"), best=Price(100))
    assert found(trailing, candle(100, 104, 99, 103)) is None
    assert found(trailing, candle(100, 104, 99, 101)) == (Purpose.TRAIL, Price("101.92"), 1)
    next_low = candle(103, 103, 101, 103, number=1)
    assert found(trailing, candle(100, 104, 99, 103), next_low) == (
        Purpose.TRAIL,
        Price("101.92"),
        2,
    )


def test_of_two_stops_in_the_way_down_the_upper_one_fills() -> None:
    trailing = guard(trail=Decimal("0.02"), best=Price(100))
    assert found(trailing, candle(100, 100, 90, 95)) == (Purpose.TRAIL, Price(98), 1)
    wide = guard(trail=Decimal("0.05"), best=Price(100))
    assert found(wide, candle(100, 100, 90, 95)) == (Purpose.STOP, Price("96.5"), 1)


def test_a_gap_that_raised_the_best_first_is_trailed_from_its_open() -> None:
    trailing = guard(trail=Decimal("0.02"), best=Price(100))
    assert found(trailing, candle(105, 105, 102, 105)) == (Purpose.TRAIL, Price("102.9"), 1)


@pytest.mark.critical
def test_a_low_from_before_the_best_bid_was_seen_meets_no_trailing_stop() -> None:
    """It rose to 105 after the low, while somebody watched; then nobody did."""
    trailing = guard(trail=Decimal("0.02"), best=Price(105))
    rising = candle(100, 105, 99, 104)
    assert crossed_in_candles(trailing, [rising], OPENED_MS + 1) is None
    falling = candle(100, 105, 99, 102)
    crossing = crossed_in_candles(trailing, [falling], OPENED_MS + 1)
    assert crossing is not None
    assert (crossing.purpose, crossing.resting) == (Purpose.TRAIL, Price("102.9"))


prices = st.decimals(min_value=80, max_value=120, places=1).map(Price)


@st.composite
def walks(draw: st.DrawFn) -> list[list[Price]]:
    """What happened within each of some candles, trade by trade."""
    return draw(st.lists(st.lists(prices, min_size=1, max_size=6), min_size=1, max_size=5))


def told(walk: list[Price], number: int) -> Candle:
    return candle(walk[0], max(walk), min(walk), walk[-1], number=number)


def watched(guard: Guard, walk: list[list[Price]]) -> Crossing | None:
    """What somebody who saw each trade would have found first."""
    for number, trades in enumerate(walk):
        for price in trades:
            purpose = guard.purpose_at(price)
            if purpose:
                at_ms = OPENED_MS + number * CANDLE_MS
                return Crossing(guard=guard, purpose=purpose, price=price, at_ms=at_ms)
            if guard.best is not None and price > guard.best:
                guard = guard.model_copy(update={"best": price})
    return None


@pytest.mark.critical
@given(walk=walks(), trail=st.sampled_from([None, Decimal("0.01"), Decimal("0.1")]))
def test_what_a_watch_had_seen_is_never_missed_but_where_the_order_within_a_candle_decides(
    walk: list[list[Price]], trail: Decimal | None
) -> None:
    """Against somebody who saw every trade: stop and target are found in the same candle."""
    guarded = guard(trail=trail, best=Price(100) if trail else None)
    seen = watched(guarded, walk)
    judged = crossed_in_candles(guarded, [told(w, n) for n, w in enumerate(walk)])
    if trail is None:
        assert (seen is None) == (judged is None)
    if judged is not None:
        assert seen is not None, "candles found what never happened"
        assert seen.at_ms <= judged.at_ms
        if trail is None:
            assert judged.at_ms - CANDLE_MS <= seen.at_ms
            assert judged.purpose in (seen.purpose, Purpose.STOP)


def uneventful(guard: Guard, walk: list[list[Price]]) -> list[tuple[int, int]]:
    """Moments, as a candle and how many of its trades were seen, before anything is found."""
    return [
        (number, seen)
        for number, trades in enumerate(walk)
        for seen in range(len(trades) + 1)
        if watched(guard, [*walk[:number], trades[:seen]]) is None
    ]


@pytest.mark.critical
@given(walk=walks(), trail=st.sampled_from([None, Decimal("0.02"), Decimal("0.1")]), data=st.data())
def test_of_candles_that_were_watched_at_first_nothing_is_found_that_never_happened(
    walk: list[list[Price]], trail: Decimal | None, data: st.DataObject
) -> None:
    guarded = guard(trail=trail, best=Price(100) if trail else None)
    number, seen = data.draw(st.sampled_from(uneventful(guarded, walk)))
    before = [*walk[:number], walk[number][:seen]]
    best = max([Price(100), *(price for trades in before for price in trades)])
    known = guarded.model_copy(update={"best": best if trail else None})
    candles = [told(trades, number) for number, trades in enumerate(walk)]
    judged = crossed_in_candles(known, candles, OPENED_MS + number * CANDLE_MS + bool(seen))
    if judged is not None:
        happened = watched(guarded, walk)
        assert happened is not None
        assert happened.at_ms <= judged.at_ms


@pytest.mark.critical
@given(walk=walks())
def test_a_stop_fills_at_the_worse_of_its_price_and_the_open(walk: list[list[Price]]) -> None:
    candles = [told(w, n) for n, w in enumerate(walk)]
    judged = crossed_in_candles(guard(), candles)
    if judged is not None and judged.purpose is Purpose.STOP:
        reached = next(c for c in candles if c.low <= Price("96.5"))
        assert judged.resting == min(Price("96.5"), reached.open)


def upside_down(price: Price) -> Price:
    return Price(200) - price


@pytest.mark.critical
@given(walk=walks())
def test_a_short_in_a_market_upside_down_fares_as_a_long_does(walk: list[list[Price]]) -> None:
    short = guard(direction=Direction.SHORT, stop_price=Price("103.5"), target_price=Price(93))
    turned = [[upside_down(price) for price in trades] for trades in walk]
    of_long = crossed_in_candles(guard(), [told(w, n) for n, w in enumerate(walk)])
    of_short = crossed_in_candles(short, [told(w, n) for n, w in enumerate(turned)])
    if of_long is None or of_long.price is None:
        assert of_short is None
        return
    assert of_short
    assert (of_short.purpose, of_short.at_ms) == (of_long.purpose, of_long.at_ms)
    assert of_short.price == of_short.resting == upside_down(of_long.price)


def test_the_trailing_stop_of_a_short_comes_down_with_the_lows() -> None:
    trailing = guard(
        direction=Direction.SHORT,
        stop_price=Price(110),
        target_price=Price(50),
        trail=Decimal("0.1"),
        best=Price(100),
    )
    assert trailing.trail_price == Price(110)
    assert found(trailing, candle(100, 109, 91, 100)) is None
    assert found(trailing, candle(100, 104, 90, 99)) == (Purpose.TRAIL, Price(99), 1)
