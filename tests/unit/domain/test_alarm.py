"""When open positions count as unprotected."""

import pytest

from oxbot.domain.alarm import WITHIN_MS, is_at_work, unwatched_since

NOW_MS = 1_000_000


@pytest.mark.critical
@pytest.mark.parametrize(
    ("beat_ms", "looks_from_ms", "since_ms"),
    [
        (NOW_MS, 0, None),
        (NOW_MS - WITHIN_MS, 0, None),
        (NOW_MS - WITHIN_MS - 1, 0, NOW_MS - WITHIN_MS - 1),
        (None, NOW_MS - WITHIN_MS, None),
        (None, NOW_MS - WITHIN_MS - 1, NOW_MS - WITHIN_MS - 1),
        (5, NOW_MS - WITHIN_MS, None),
        (5, NOW_MS - WITHIN_MS - 1, 5),
    ],
)
def test_a_watch_that_is_away_for_more_than_ten_seconds_is_missed_since_its_last_beat(
    beat_ms: int | None, looks_from_ms: int, since_ms: int | None
) -> None:
    assert unwatched_since(beat_ms, looks_from_ms, NOW_MS) == since_ms


def test_a_watch_is_at_work_for_ten_seconds_after_its_beat() -> None:
    assert is_at_work(NOW_MS - WITHIN_MS, NOW_MS)
    assert not is_at_work(NOW_MS - WITHIN_MS - 1, NOW_MS)
    assert not is_at_work(None, NOW_MS)
