"""The price watch's workflow: it lasts, it hands over, and it ends when it should."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError
from temporalio.worker import Replayer, Worker

from activities.watch import WatchActivities
from oxbot.adapters.temporal.control import TemporalBotControl
from oxbot.domain.market import Quote
from oxbot.domain.money import Price, Quantity
from oxbot.messages import WATCH_WORKFLOW, WatchView, watch_id
from tests.support.fakes import BTC, ETH
from tests.support.house import PATIENCE_S, STICKY, House
from worker.failures import FailureInterceptor
from workflows.market_watch import MarketWatchWorkflow

WatchHandle = WorkflowHandle[Any, WatchView]
"""Any: named as the worker names it, without its class."""

HISTORIES = sorted((Path(__file__).parents[1] / "histories" / "watch").glob("*.json"))


def handle_of(house: House, venue: str = "fake") -> WatchHandle:
    handle: WatchHandle = house.client.get_workflow_handle(watch_id(venue), result_type=WatchView)
    return handle


def watch_worker(house: House) -> Worker:
    """As the real worker has it; one that leaves is given time, and needs none."""
    return Worker(
        house.client,
        task_queue=house.queue,
        workflows=[MarketWatchWorkflow],
        activities=[WatchActivities(house.ports).watch_prices],
        interceptors=[house.faults, FailureInterceptor()],
        graceful_shutdown_timeout=timedelta(minutes=5),
        sticky_queue_schedule_to_start_timeout=STICKY,
    )


def quote(bid: int) -> Quote:
    return Quote(
        symbol=BTC,
        bid=Price(bid),
        ask=Price(bid + 1),
        last=Price(bid),
        volume_24h=Quantity(1),
        exchange_ms=4_000_000_000_000 + bid,
        received_ms=4_000_000_000_000 + bid,
        source="stream",
    )


async def price_arrives(house: House, bid: int) -> None:
    """Push a price, and wait until it is on the board."""
    house.stream.say(quote(bid))
    async with asyncio.timeout(PATIENCE_S):
        while (await house.board.get("fake", [BTC])).get(BTC) != quote(bid):  # noqa: ASYNC110 - the board sets no event
            await asyncio.sleep(0.02)


async def watch(house: House, **view: object) -> WatchHandle:
    """Start the workflow on its own terms."""
    await house.client.start_workflow(
        WATCH_WORKFLOW,
        WatchView.model_validate({"venue": "fake", **view}),
        id=watch_id(str(view.get("venue", "fake"))),
        task_queue=house.queue,
    )
    return handle_of(house, str(view.get("venue", "fake")))


@pytest.fixture
async def house(empty_real_house: House) -> AsyncIterator[House]:
    """A house with a bot on record, and no watch left behind."""
    await empty_real_house.new_bot()
    yield empty_real_house
    try:
        await handle_of(empty_real_house).terminate()
    except RPCError:
        return


async def test_one_watch_runs_for_a_venue_however_many_workers_start_it(house: House) -> None:
    control = TemporalBotControl(house.client, house.queue)
    async with watch_worker(house):
        started = await asyncio.gather(*(control.watch("fake") for _ in range(3)))
        assert sorted(started) == [False, False, True]
        await price_arrives(house, 1)
        assert house.stream.asked == [(BTC, ETH)]


@pytest.mark.critical
async def test_told_to_stop_it_completes_and_the_activity_leaves(house: House) -> None:
    async with watch_worker(house):
        handle = await watch(house)
        await price_arrives(house, 1)
        await handle.execute_update("stop", result_type=WatchView)
        assert (await handle.result()).ended == "it was told to stop"
    assert house.stream.open == 0


async def test_cancelling_means_stop(house: House) -> None:
    async with watch_worker(house):
        handle = await watch(house)
        await price_arrives(house, 1)
        await handle.cancel()
        assert (await handle.result()).ended == "the workflow was cancelled"


@pytest.mark.critical
async def test_a_watch_of_another_venue_than_the_workers_completes_with_the_reason(
    house: House,
) -> None:
    async with watch_worker(house):
        handle = await watch(house, venue="okx")
        ended = await handle.result()
        assert "this system looks at fake" in ended.ended
        assert house.faults.begun["watch_prices"] == 1
        assert house.stream.asked == []


@pytest.mark.critical
async def test_a_worker_that_leaves_ends_its_watch_at_once_and_the_next_goes_on(
    house: House,
) -> None:
    async with watch_worker(house):
        handle = await watch(house)
        await price_arrives(house, 1)
    assert house.stream.open == 0
    async with watch_worker(house):
        await price_arrives(house, 2)
        view = await handle.query("status", result_type=WatchView)
        assert view.runs == 1
        assert view.last is not None
        assert view.last.symbols == (BTC, ETH)


@pytest.mark.critical
async def test_a_watch_that_fails_is_begun_again(house: House) -> None:
    async with watch_worker(house):
        with house.faults.failing("watch_prices", final=False):
            handle = await watch(house)
            await house.until(lambda: house.faults.begun["watch_prices"] > 1)
        await price_arrives(house, 1)
        description = await handle.describe()
        assert description.status is WorkflowExecutionStatus.RUNNING


async def test_after_some_runs_a_new_history_begins_with_the_same_counts(house: House) -> None:
    async with watch_worker(house):
        handle = await watch(house, span_s=0, roll_after=2)
        await house.until(lambda: house.faults.begun["watch_prices"] > 5)
        view = await handle.query("status", result_type=WatchView)
        assert view.runs > 2
        assert (await handle.describe()).history_length < 40


def history_of(path: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(watch_id("fake"), path.read_text(encoding="utf-8"))


def replayer() -> Replayer:
    return Replayer(workflows=[MarketWatchWorkflow], data_converter=pydantic_data_converter)


@pytest.mark.critical
@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_a_saved_history_replays_with_the_code_of_today(path: Path) -> None:
    await replayer().replay_workflow(history_of(path))


def test_the_saved_histories_hold_what_a_watch_lives_through() -> None:
    events = [event for path in HISTORIES for event in json.loads(path.read_text())["events"]]
    assert {event["eventType"] for event in events} >= {
        "EVENT_TYPE_ACTIVITY_TASK_COMPLETED",
        "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED",
        "EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW",
        "EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED",
    }
