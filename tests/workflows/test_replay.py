"""Running bots replay what older code wrote: a change that would break them fails here."""

import json
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from oxbot.messages import TickReport
from workflows.bot import BotWorkflow
from workflows.cycle import Cycle

KEPT = Path(__file__).parents[1] / "histories"
HISTORIES = sorted([*KEPT.glob("*.json"), *KEPT.glob("older/*.json")])
"""Those of today's code, and of code from before protections, which running bots may be in."""

LIVED_THROUGH = {
    "EVENT_TYPE_ACTIVITY_TASK_FAILED",
    "EVENT_TYPE_TIMER_FIRED",
    "EVENT_TYPE_TIMER_CANCELED",
    "EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED",
    "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED",
    "EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW",
    "EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED",
    "EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED",
}


@pytest.mark.critical
@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: f"{path.parent.name}/{path.stem}")
async def test_a_saved_history_replays_with_the_code_of_today(path: Path) -> None:
    await _replayer().replay_workflow(_history(path))


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: f"{path.parent.name}/{path.stem}")
async def test_a_change_that_would_break_running_bots_is_caught(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unchanged = Cycle.run

    async def changed(self: Cycle) -> TickReport | None:
        self._state.clock = await self._steps.read_clock()
        return await unchanged(self)

    monkeypatch.setattr(Cycle, "run", changed)
    with pytest.raises(NondeterminismError):
        await _replayer().replay_workflow(_history(path))


def test_the_saved_histories_hold_what_a_bot_lives_through() -> None:
    events = [event for path in HISTORIES for event in json.loads(path.read_text())["events"]]
    assert {event["eventType"] for event in events} >= LIVED_THROUGH
    activities = {
        scheduled["activityType"]["name"]
        for event in events
        if (scheduled := event.get("activityTaskScheduledEventAttributes"))
    }
    assert activities == {
        "open_run",
        "write_control",
        "read_clock",
        "observe_market",
        "decide",
        "validate_risk",
        "execute_order",
        "record_cycles",
        "protect",
        "count_holdings",
        "change_limits",
    }


def _replayer() -> Replayer:
    return Replayer(workflows=[BotWorkflow], data_converter=pydantic_data_converter)


def _history(path: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(f"bot-{path.stem}", path.read_text())
