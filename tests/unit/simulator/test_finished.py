"""Finished candles that are kept: the same rows as without a memory, and never too many."""

from hypothesis import given
from hypothesis import strategies as st

from oxbot.simulator.finished import Cells, FinishedRows

LENGTH_MS = 300_000
MOST = 40

stretches = st.lists(
    st.tuples(st.integers(0, 99), st.integers(-1, 60)).map(lambda s: (s[0], s[0] + s[1])),
    max_size=20,
)


class Maker:
    """Makes rows, and counts them."""

    def __init__(self) -> None:
        self.made: list[int] = []

    def __call__(self, first_ms: int, last_ms: int) -> list[Cells]:
        times = range(first_ms, last_ms + 1, LENGTH_MS)
        self.made += times
        return [(str(ts), "open") for ts in times]


@given(stretches)
def test_whatever_was_asked_for_before_the_rows_are_those_of_their_times(
    asked: list[tuple[int, int]],
) -> None:
    finished = FinishedRows(Maker(), LENGTH_MS, MOST)
    for first, last in asked:
        rows = finished.between(first * LENGTH_MS, last * LENGTH_MS)
        assert rows == [(str(n * LENGTH_MS), "open") for n in range(first, last + 1)]
        assert len(finished) <= MOST


def test_a_row_that_was_asked_for_lately_is_not_made_again() -> None:
    make = Maker()
    finished = FinishedRows(make, LENGTH_MS, MOST)
    for newest in range(30, 60):
        finished.between((newest - 29) * LENGTH_MS, newest * LENGTH_MS)
    assert make.made == [n * LENGTH_MS for n in range(1, 60)]
