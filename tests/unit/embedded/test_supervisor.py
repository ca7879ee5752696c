import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator

import psutil
import pytest

from oxbot.domain.errors import SetupError
from oxbot.embedded import supervisor as module
from oxbot.embedded.leftovers import Records, end_leftovers
from oxbot.embedded.paths import DataDirectory
from oxbot.embedded.supervisor import Supervisor, together
from tests.unit.embedded.conftest import SLEEPER, Until, python


@contextlib.asynccontextmanager
async def supervising(data: DataDirectory, said: list[str]) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(Records(data), said.append)
    try:
        yield supervisor
    finally:
        await supervisor.stop_all()


def only_child(data: DataDirectory) -> psutil.Process:
    (process,) = Records(data).left().values()
    return process


async def test_a_program_that_dies_is_started_again_and_it_is_said(
    data: DataDirectory, until: Until
) -> None:
    said: list[str] = []
    async with supervising(data, said) as supervisor:
        await supervisor.start(python(data, SLEEPER, "sleeper"))
        first = only_child(data)
        os.kill(first.pid, signal.SIGKILL)
        await until(lambda: len(said) == 2)
        assert said[0] == "sleeper died (exit code -9), restarting"
        assert said[1] == f"sleeper restarted (process {only_child(data).pid})"
        assert only_child(data).pid != first.pid


async def test_a_program_that_keeps_dying_is_given_up_with_its_last_words(
    data: DataDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSES_S", (0.0,) * len(module.PAUSES_S))
    said: list[str] = []
    async with supervising(data, said) as supervisor:
        await supervisor.start(python(data, "import sys; sys.exit('no luck')", "unlucky"))
        with pytest.raises(SetupError, match=r"unlucky ended 5 times .*exit code 1.*no luck"):
            await supervisor.until_given_up()
    assert len(said) == 2 * (module.MOST_DEATHS - 1)


async def test_a_program_that_is_stopped_on_purpose_is_not_started_again(
    data: DataDirectory,
) -> None:
    said: list[str] = []
    async with supervising(data, said) as supervisor:
        await supervisor.start(python(data, SLEEPER, "sleeper"))
        await supervisor.stop(["sleeper", "somebody unknown"])
        assert Records(data).left() == {}
        assert said == []


async def test_what_a_killed_supervisor_left_running_is_ended(
    data: DataDirectory, until: Until
) -> None:
    async with supervising(data, []) as supervisor:
        await supervisor.start(python(data, SLEEPER, "sleeper"))
        left = only_child(data)
        supervisor._keepers["sleeper"].cancel()
        assert await end_leftovers(Records(data)) == ["sleeper"]
        await until(lambda: not left.is_running())


async def test_a_pid_that_passed_to_somebody_else_is_left_alone(data: DataDirectory) -> None:
    async with supervising(data, []) as supervisor:
        await supervisor.start(python(data, SLEEPER, "sleeper"))
        other = only_child(data)
        record = data.children.read_text()
        data.children.write_text(record.replace('"started": "', '"started": "x'))
        assert await end_leftovers(Records(data)) == []
        assert other.is_running()


async def test_the_first_failure_of_several_steps_ends_the_others_and_is_raised_alone() -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def fails() -> None:
        await started.wait()
        raise SetupError("one sentence")

    async def lasts() -> None:
        started.set()
        try:
            await asyncio.sleep(300)
        finally:
            ended.set()

    with pytest.raises(SetupError, match="one sentence"):
        await together(fails(), lasts())
    assert ended.is_set()
