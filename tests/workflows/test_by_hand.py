"""Control by Temporal's own command line, as a person types it."""

import asyncio

import pytest

from oxbot.domain.bot import BotStatus
from oxbot.embedded.temporal_binary import TemporalBinary
from oxbot.messages import workflow_id
from tests.support.house import House


@pytest.mark.critical
@pytest.mark.parametrize(
    "extra",
    [(), ("--input", '{"by": "me", "reason": "news"}')],
    ids=["without input", "with a reason"],
)
async def test_a_signal_typed_by_hand_pauses_the_bot(
    real_house: House, temporal_program: TemporalBinary, extra: tuple[str, ...]
) -> None:
    bot, handle = await real_house.started()
    process = await asyncio.create_subprocess_exec(
        temporal_program.path,
        *("workflow", "signal", "-w", workflow_id(bot.id), "--name", "pause", *extra),
        *("--address", real_house.client.service_client.config.target_host),
    )
    assert await process.wait() == 0
    await real_house.until_status(handle, BotStatus.PAUSED)
    await real_house.until(lambda: len(real_house.store.control) > 0)
    [written] = real_house.store.control
    assert (written.status, written.reason) == (BotStatus.PAUSED, "news" if extra else "")


@pytest.mark.critical
@pytest.mark.parametrize("name", ["pause", "stop", "resume"])
@pytest.mark.parametrize("mistyped", ["please", {"reason": "news", "who": "me"}, {"by": 5}, [1]])
async def test_a_signal_that_cannot_be_read_pauses_the_bot(
    house: House, name: str, mistyped: object
) -> None:
    _, handle = await house.started()
    await handle.signal(name, mistyped)
    await house.until(lambda: len(house.store.control) > 0)
    [written] = house.store.control
    assert written.status is BotStatus.PAUSED
    assert "could not be read" in written.reason
