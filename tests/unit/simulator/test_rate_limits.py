"""Token buckets, with a clock that the tests turn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.domain.errors import InputError
from oxbot.simulator.rate_limits import PUBLISHED, WINDOW_S, RateLimits


class Clock:
    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


def test_a_bucket_is_full_at_first_and_fills_evenly() -> None:
    clock = Clock()
    limits = RateLimits(now_s=clock)
    answers = [limits.refuses("a", "market/tickers") for _ in range(21)]
    assert answers == [None] * 20 + ["50011"]
    clock.s += 0.25  # two tokens and a half
    assert [limits.refuses("a", "market/tickers") for _ in range(3)] == [None, None, "50011"]
    clock.s += 3600
    assert [limits.refuses("a", "market/tickers") for _ in range(21)].count(None) == 20


def test_clients_and_endpoints_have_buckets_of_their_own() -> None:
    limits = RateLimits(now_s=Clock())
    assert [limits.refuses("a", "public/time") for _ in range(11)][-1] == "50011"
    assert limits.refuses("b", "public/time") is None
    assert limits.refuses("a", "market/ticker") is None


def test_all_requests_of_a_client_together_have_a_limit() -> None:
    limits = RateLimits(overall=3, now_s=Clock())
    asked = ["market/books", "public/time", "market/ticker", "market/books"]
    assert [limits.refuses("a", endpoint) for endpoint in asked] == [None, None, None, "50061"]
    assert limits.refuses("b", "no/such/thing") is None


@given(st.lists(st.tuples(st.floats(0, 1), st.sampled_from(sorted(PUBLISHED))), max_size=200))
def test_no_two_seconds_let_more_through_than_twice_the_published_number(
    story: list[tuple[float, str]],
) -> None:
    clock = Clock()
    limits = RateLimits(now_s=clock)
    let_through: dict[str, list[float]] = {}
    for waited, endpoint in story:
        clock.s += waited / 20
        if limits.refuses("a", endpoint) is None:
            let_through.setdefault(endpoint, []).append(clock.s)
    for endpoint, times in let_through.items():
        for end in times:
            within = [moment for moment in times if end - WINDOW_S < moment <= end]
            assert len(within) <= 2 * PUBLISHED[endpoint]


def test_a_limit_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="at least once"):
        RateLimits(overall=0)
