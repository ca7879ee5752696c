"""Records the histories that `tests/workflows/test_replay.py` replays: `make histories`.

It runs the real system in a scratch directory and lets bots live through what a bot can live
through: entries, a stop, pause and resume, the flow of time and its standing still, a cycle
that fails, cancellation, and several runs. What a machine would reveal is scrubbed.
"""

import asyncio
import json
import re
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import Final

from temporalio.client import Client, WorkflowHandle

from oxbot.adapters.temporal.client import connect
from oxbot.adapters.venue_control import VenueControl
from oxbot.app.bots import Desk
from oxbot.app.stepped import drive
from oxbot.bootstrap import open_desk
from oxbot.domain.bot import REAL_VENUE, SIMULATED_VENUE, BotSettings
from oxbot.embedded.addresses import Addresses
from oxbot.embedded.apps import SimulatorOptions
from oxbot.embedded.system import run_system
from oxbot.messages import BOT_WORKFLOW, ControlRequest, workflow_id
from oxbot.settings import Settings
from tests.support.ports import free_ports

HERE: Final = Path(__file__).parent
START: Final = "2026-05-19T09:15:00Z"
"""Where the generated market has an entry in the first cycle and a stop in the third."""

PERSON: Final = ControlRequest(by="a person", reason="to be recorded")
RATE: Final = Decimal(120)


async def record(home: Path) -> None:
    """Let the bots live, then keep their histories."""
    temporal, ui, api, simulator = free_ports(4)
    settings = Settings(
        home=home,
        temporal_port=temporal,
        temporal_ui_port=ui,
        api_port=api,
        simulator_port=simulator,
        database_url=None,
        redis_url=None,
        temporal_address=None,
    )

    async def body(addresses: Addresses) -> None:
        client = await connect(addresses.temporal, settings.temporal_namespace)
        async with (
            open_desk(settings) as desk,
            VenueControl(addresses.simulator or "") as venue,
        ):
            await _trades_step_by_step(client, desk, venue)
            await _fails(client, desk, venue)
            await venue.flow(RATE)
            await _waits_for_timers(client, desk)
        for bot_id in ("demo", "foreign", "timer"):
            await _keep(client, bot_id)

    await run_system(
        settings, body, announce=_say, simulator=SimulatorOptions(start=START, mode="stepped")
    )


async def _trades_step_by_step(client: Client, desk: Desk, venue: VenueControl) -> None:
    """Entries, a stop, a roll, a pause with positions, a tick in it, resume, stop."""
    handle = await _begin(client, desk, "demo", SIMULATED_VENUE, roll_after=3)
    await _cycles(desk, venue, "demo", 3)
    await desk.control.pause("demo", PERSON)
    await _cycles(desk, venue, "demo", 1)
    await desk.control.resume("demo", PERSON)
    await _cycles(desk, venue, "demo", 1)
    await desk.control.stop("demo", PERSON)
    await handle.result()


async def _fails(client: Client, desk: Desk, venue: VenueControl) -> None:
    """A bot of another venue: its cycles fail and say why."""
    handle = await _begin(client, desk, "foreign", REAL_VENUE, roll_after=60)
    await _cycles(desk, venue, "foreign", 1)
    await desk.control.stop("foreign", PERSON)
    await handle.result()


async def _waits_for_timers(client: Client, desk: Desk) -> None:
    """Two ticks by timers, a wake, a pause while waiting, a cancellation."""
    handle = await _begin(client, desk, "timer", SIMULATED_VENUE, roll_after=60)
    while (await desk.control.view("timer")).cycle < 2:  # noqa: ASYNC110 - in another process
        await asyncio.sleep(0.2)
    await desk.control.wake("timer")
    await handle.signal("pause")
    await desk.control.resume("timer", PERSON)
    await handle.cancel()
    await handle.result()


async def _begin(
    client: Client, desk: Desk, bot_id: str, venue: str, *, roll_after: int
) -> WorkflowHandle[object, object]:
    settings = BotSettings(name=bot_id.capitalize(), venue=venue)
    await desk.store.create_bot(bot_id, settings, time.time_ns() // 1_000_000)
    return await client.start_workflow(
        BOT_WORKFLOW,
        {"bot_id": bot_id, "roll_after": roll_after},
        id=workflow_id(bot_id),
        task_queue=Settings().task_queue,
    )


async def _cycles(desk: Desk, venue: VenueControl, bot_id: str, count: int) -> None:
    async for report in drive(desk, venue, bot_id, count):
        _say(f"{bot_id}: {report}")


async def _keep(client: Client, bot_id: str) -> None:
    """Write each run of a bot to a file of its own, oldest first."""
    query = f"WorkflowId = '{workflow_id(bot_id)}'"
    runs = sorted([run async for run in client.list_workflows(query)], key=lambda r: r.start_time)
    for number, run in enumerate(runs, start=1):
        handle = client.get_workflow_handle(run.id, run_id=run.run_id)
        history = json.loads((await handle.fetch_history()).to_json())
        path = HERE / f"{bot_id}-{number}.json"
        path.write_text(json.dumps(scrubbed(history), indent=None, separators=(",", ":")) + "\n")
        _say(f"{path.name}: {len(history['events'])} events")


def scrubbed(value: object) -> object:
    """Take out what names a machine: who worked, from where, and stack traces."""
    if isinstance(value, dict):
        return {k: scrubbed(v) for k, v in value.items() if k not in ("identity", "stackTrace")}
    if isinstance(value, list):
        return [scrubbed(item) for item in value]
    return re.sub(r"\d+@[\w.-]+", "a-worker", value) if isinstance(value, str) else value


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def main() -> None:
    for old in HERE.glob("*.json"):
        old.unlink()
    with tempfile.TemporaryDirectory(prefix="oxbot-histories-") as home:
        asyncio.run(record(Path(home)))


if __name__ == "__main__":
    main()
