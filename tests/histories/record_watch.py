"""Records the histories of a price watch that `tests/workflows/test_market_watch.py` replays.

`python -m tests.histories.record_watch` writes them anew: do so when the workflow's commands
change on purpose, together with whatever lets running watches replay.
"""

import asyncio
import json
import time
from pathlib import Path

from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from oxbot.embedded import temporal_binary
from tests.histories.record import scrubbed
from tests.support.house import House
from tests.support.time_skipping import announce
from tests.workflows.test_market_watch import WatchHandle, price_arrives, watch, watch_worker

HERE = Path(__file__).parent / "watch"


async def record() -> None:
    """Let one watch live long enough to roll over, and another be stopped."""
    program = await temporal_binary.obtain(announce)
    environment = await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(program.path),
        data_converter=pydantic_data_converter,
        dev_server_log_level="error",
    )
    async with environment:
        house = House(environment, _machine_time)
        await house.new_bot()
        await _keep(await _rolled(house), "rolled")
        await _keep(await _stopped(house), "stopped")


async def _rolled(house: House) -> WatchHandle:
    """A run that gave over to the next one."""
    async with watch_worker(house):
        handle = await watch(house, span_s=0, roll_after=2)
        first = (await handle.describe()).run_id
        await house.until(lambda: house.faults.begun["watch_prices"] > 2)
        await handle.terminate()
    old: WatchHandle = house.client.get_workflow_handle(handle.id, run_id=first)
    return old


async def _stopped(house: House) -> WatchHandle:
    """A run with a failed attempt, a worker that left, and a stop."""
    async with watch_worker(house):
        seen = house.faults.begun["watch_prices"]
        with house.faults.failing("watch_prices", final=False):
            handle = await watch(house)
            await house.until(lambda: house.faults.begun["watch_prices"] > seen + 1)
        await price_arrives(house, 1)
    async with watch_worker(house):
        await price_arrives(house, 2)
        await handle.execute_update("stop")
        await handle.result()
    return handle


async def _keep(handle: WatchHandle, name: str) -> None:
    history = json.loads((await handle.fetch_history()).to_json())
    text = json.dumps(scrubbed(history), separators=(",", ":"))
    (HERE / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")


async def _machine_time() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    asyncio.run(record())
