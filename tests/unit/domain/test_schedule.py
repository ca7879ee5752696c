"""Ticks: aligned, stable, never in the past, none counted twice."""

from hypothesis import given
from hypothesis import strategies as st

from oxbot.domain.schedule import latest_due, next_due, offset_ms, ticks_missed

TIMES = st.integers(0, 4 * 10**12)
INTERVALS = st.integers(1, 86_400).map(lambda seconds: seconds * 1000)
BOTS = st.from_regex(r"[a-z0-9][a-z0-9-]{0,30}", fullmatch=True)


@given(BOTS, INTERVALS)
def test_an_offset_is_stable_in_whole_seconds_and_within_the_interval(
    bot_id: str, interval: int
) -> None:
    offset = offset_ms(bot_id, interval)
    assert offset == offset_ms(bot_id, interval)
    assert 0 <= offset < interval
    assert offset % 1000 == 0


def test_offsets_spread_bots_over_the_interval() -> None:
    offsets = {offset_ms(f"bot-{number}", 300_000) for number in range(1000)}
    assert len(offsets) > 250


def test_an_offset_is_the_same_in_every_version() -> None:
    """Another one would shift every running bot."""
    assert offset_ms("b1", 300_000) == 85_000


@given(TIMES, BOTS, INTERVALS)
def test_the_next_tick_is_aligned_later_and_less_than_an_interval_away(
    now: int, bot_id: str, interval: int
) -> None:
    offset = offset_ms(bot_id, interval)
    due = next_due(now, interval, offset)
    assert (due - offset) % interval == 0
    assert now < due <= now + interval
    assert latest_due(now, interval, offset) == due - interval
    assert next_due(due - 1, interval, offset) == due
    assert next_due(due, interval, offset) == due + interval


@given(TIMES, BOTS, INTERVALS, st.integers(0, 500), st.data())
def test_missed_ticks_are_those_that_a_later_one_has_overtaken(
    now: int, bot_id: str, interval: int, missed: int, data: st.DataObject
) -> None:
    offset = offset_ms(bot_id, interval)
    due = next_due(now, interval, offset)
    late = data.draw(st.integers(0, interval - 1))
    assert ticks_missed(due, due + missed * interval + late, interval, offset) == missed
    assert ticks_missed(due, now, interval, offset) == 0
