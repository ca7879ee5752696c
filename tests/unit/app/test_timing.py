"""Several things at once: the first one ends them all, also those that will not hear of it."""

import asyncio
from contextlib import suppress

import pytest

from oxbot.app import timing
from oxbot.app.timing import first_of


async def at_once() -> None:
    return


class Stubborn:
    """Swallows its first cancellation, as a library may whose answer came at that moment."""

    def __init__(self) -> None:
        self.swallowed = False
        self.ended = False

    async def work(self) -> None:
        try:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            self.swallowed = True
            await asyncio.Event().wait()
        finally:
            self.ended = True


@pytest.mark.critical
async def test_a_work_that_swallowed_a_cancellation_is_ended_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(timing, "CANCEL_AGAIN_S", 0.01)
    stubborn = Stubborn()
    racing = asyncio.create_task(first_of(stubborn.work(), asyncio.Event().wait()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    racing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await racing
    assert stubborn.swallowed
    assert stubborn.ended


async def test_the_first_failure_is_raised_and_the_others_are_over() -> None:
    stubborn = Stubborn()

    async def fails() -> None:
        await asyncio.sleep(0)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await first_of(fails(), stubborn.work())
    assert stubborn.ended


async def test_the_first_that_is_done_ends_the_others() -> None:
    stubborn = Stubborn()
    await first_of(at_once(), stubborn.work())
    assert stubborn.ended
