import asyncio
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from oxbot.domain.errors import SetupError
from oxbot.embedded import processes
from oxbot.embedded.child import Child, run_to_end
from oxbot.embedded.paths import DataDirectory
from tests.unit.embedded.conftest import SLEEPER, Until, python

STUBBORN = """
import signal, subprocess, sys, time
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
subprocess.Popen(["sleep", "300"])
subprocess.Popen(["sleep", "301"], start_new_session=True)
print("awake", flush=True)
time.sleep(300)
"""


def awake(log: Path) -> bool:
    return log.exists() and "awake" in log.read_text()


async def test_a_program_that_ends_before_it_is_ready_says_why(data: DataDirectory) -> None:
    program = python(data, "import sys; sys.exit('the reason')")

    async def never() -> bool:
        return False

    child = await Child.start(replace(program, ready=never))
    with pytest.raises(SetupError, match=r"exit code 1.*the reason"):
        await child.until_ready()


async def test_a_program_that_is_never_ready_is_not_waited_for_forever(
    data: DataDirectory,
) -> None:
    async def refused() -> bool:
        raise ConnectionRefusedError

    program = replace(python(data, SLEEPER), ready=refused, start_within_s=0.2)
    child = await Child.start(program)
    with pytest.raises(SetupError, match=r"not ready after 0\.2 s"):
        await child.until_ready()
    await child.stop()


async def test_a_child_is_in_a_session_of_its_own_so_that_ctrl_c_does_not_reach_it(
    data: DataDirectory,
) -> None:
    child = await Child.start(python(data, "import os, time; print(os.getsid(0)); time.sleep(300)"))
    try:
        while not (said := data.log("program").read_text()):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.02)
        assert int(said) == child.pid
    finally:
        await child.stop()
    assert child.exit_code == -signal.SIGTERM


async def test_who_ignores_the_stop_signal_is_killed_with_all_its_descendants(
    data: DataDirectory, until: Until
) -> None:
    child = await Child.start(replace(python(data, STUBBORN), grace_s=0.2))
    await until(lambda: awake(data.log("program")))
    family = processes.descendants(child.pid)
    assert len(family) == 2
    await child.stop()
    assert child.exit_code == -signal.SIGKILL
    gone, alive = psutil.wait_procs(family, timeout=60)
    assert len(gone) == 2, alive


async def test_hurry_ends_the_grace(data: DataDirectory, until: Until) -> None:
    child = await Child.start(replace(python(data, STUBBORN), grace_s=250))
    await until(lambda: awake(data.log("program")))
    hurry = asyncio.Event()
    hurry.set()
    await child.stop(hurry)
    assert child.exit_code == -signal.SIGKILL


async def test_a_child_ends_with_its_starter_even_when_that_is_killed(
    data: DataDirectory, until: Until
) -> None:
    starter = (
        "import asyncio, os, signal, sys; from pathlib import Path\n"
        "from oxbot.embedded.child import Child, Program\n"
        "async def main():\n"
        "    sleep = Program('sleeper', ('sleep', '300'), Path(sys.argv[1]))\n"
        "    child = await Child.start(sleep)\n"
        "    print(child.pid, flush=True)\n"
        "    await asyncio.sleep(300)\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-c", starter, str(data.log("sleeper"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: ASYNC220 - waited for below
        assert process.stdout is not None
        sleeper = psutil.Process(int(process.stdout.readline()))
        await until(lambda: sleeper.name() == "sleep")
        process.kill()
    await until(lambda: not sleeper.is_running() or sleeper.status() == psutil.STATUS_ZOMBIE)


async def test_a_cancelled_run_to_end_leaves_no_process() -> None:
    running = asyncio.create_task(run_to_end((sys.executable, "-c", SLEEPER)))
    await asyncio.sleep(0.2)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
