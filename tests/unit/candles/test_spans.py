"""Stretches of time: what is held and what is missing make the whole."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from oxbot.candles.spans import Span, holds, united, without

SPANS = st.builds(
    lambda start, length: Span(start, start + length), st.integers(0, 40), st.integers(0, 9)
)


def moments(spans: "tuple[Span, ...] | list[Span]") -> set[int]:
    return {moment for span in spans for moment in range(*span)}


@given(st.lists(SPANS))
def test_united_spans_hold_the_same_moments_and_keep_apart(spans: list[Span]) -> None:
    joined = united(spans)
    assert moments(joined) == moments(spans)
    assert all(before.to_ms < after.from_ms for before, after in pairwise(joined))


@given(SPANS, st.lists(SPANS))
def test_what_is_missing_is_what_nobody_holds(wanted: Span, held: list[Span]) -> None:
    missing = without(wanted, held)
    assert moments(missing) == moments([wanted]) - moments(held)
    assert holds(held, wanted) == (moments([wanted]) <= moments(held))
