"""A suspension proves something only where others had work to do and did it."""

from collections.abc import Awaitable, Callable

import pytest
from chaos_matrix.suspended import LONG, SOON, Sleep, sleep_through

JUDGED, UNJUDGED = Sleep(0, within_s=0), Sleep(0)


def told(*looks: str) -> Callable[[], Awaitable[frozenset[str]]]:
    """Give the unfinished orders of one look after the other; the last one stays."""
    left = list(looks)

    async def unfinished() -> frozenset[str]:
        return frozenset((left.pop(0) if len(left) > 1 else left[0]).split())

    return unfinished


@pytest.mark.parametrize(
    ("looks", "was_replaced"),
    [
        (("one two", "one"), False),
        (("one two", "three"), True),
        (("", "three"), True),
    ],
)
async def test_who_sleeps_for_long_is_replaced_where_all_that_was_begun_has_ended(
    looks: tuple[str, ...], *, was_replaced: bool
) -> None:
    assert await sleep_through(JUDGED, told(*looks)) is was_replaced


async def test_who_wakes_soon_wakes_before_that() -> None:
    assert await sleep_through(UNJUDGED, told("one"))
    assert LONG.within_s
    assert SOON.within_s is None
