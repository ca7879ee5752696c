"""Starts a worker, keeps it until SIGTERM, and lets it finish what it is at."""

import asyncio
import signal
from datetime import timedelta
from functools import partial
from typing import Final

import structlog
from temporalio.client import Client
from temporalio.worker import Worker

from activities.control import ControlActivities
from activities.decision import DecisionActivities
from activities.execution import ExecutionActivities
from activities.market import MarketActivities
from activities.protection import ProtectionActivities
from activities.reconciliation import ReconciliationActivities
from activities.record import RecordActivities
from activities.risk import RiskActivities
from activities.watch import WatchActivities
from oxbot.adapters.temporal.client import connect
from oxbot.app.beating import BEAT_EVERY_S
from oxbot.app.bots import Desk
from oxbot.app.ports import Ports
from oxbot.bootstrap import open_ports
from oxbot.bootstrap.addresses import resolve
from oxbot.bootstrap.exchange import free_usdt
from oxbot.domain.errors import OxbotError
from oxbot.ending import end_process
from oxbot.logs import configure_logs
from oxbot.settings import Settings
from worker.failures import FailureInterceptor
from worker.reconciler import keep_bots_running, tell_of_live_bots
from workflows.bot import BotWorkflow
from workflows.market_watch import MarketWatchWorkflow

DRAIN: Final = timedelta(seconds=6)
"""Time for running activities to end once the worker is told to stop."""

BEATS: Final = timedelta(seconds=BEAT_EVERY_S)
"""Heartbeats are sent as they come: held back, the next might be late after one that was lost."""

CACHED_WORKFLOWS: Final = 1000
STICKY: Final = timedelta(seconds=5)
"""How long a workflow task waits for the worker that has the workflow in its cache."""

log = structlog.get_logger(__name__)


def make_worker(client: Client, ports: Ports, task_queue: str) -> Worker:
    """Join workflows and activities into a worker for one task queue."""
    control, market, protection, reconciliation, record, watch = (
        ControlActivities(ports),
        MarketActivities(ports),
        ProtectionActivities(ports),
        ReconciliationActivities(ports),
        RecordActivities(ports),
        WatchActivities(ports),
    )
    return Worker(
        client,
        task_queue=task_queue,
        workflows=[BotWorkflow, MarketWatchWorkflow],
        activities=[
            control.open_run,
            control.write_control,
            control.change_limits,
            market.observe_market,
            market.read_clock,
            DecisionActivities(ports).decide,
            RiskActivities(ports).validate_risk,
            ExecutionActivities(ports).execute_order,
            protection.protect,
            protection.count_holdings,
            record.record_cycles,
            reconciliation.reconcile,
            reconciliation.write_off,
            reconciliation.say_over,
            watch.watch_prices,
            watch.examine,
        ],
        interceptors=[FailureInterceptor()],
        graceful_shutdown_timeout=DRAIN,
        max_heartbeat_throttle_interval=BEATS,
        default_heartbeat_throttle_interval=BEATS,
        max_cached_workflows=CACHED_WORKFLOWS,
        sticky_queue_schedule_to_start_timeout=STICKY,
    )


async def run(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT; start what should be running and is not."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    found = resolve(settings)
    client = await connect(found.temporal_address or "", found.temporal_namespace)
    async with open_ports(found, client) as ports, make_worker(client, ports, found.task_queue):
        log.info("worker is listening", task_queue=found.task_queue, session=found.session)
        desk = Desk(
            store=ports.store,
            control=ports.control,
            venue=ports.feed.venue,
            listing=ports.feed,
            board=ports.board,
            breaker=ports.breaker,
            free_usdt=partial(free_usdt, found),
        )
        if await ports.control.watch(ports.feed.venue):
            log.info("price watch started", venue=ports.feed.venue)
        async with asyncio.TaskGroup() as looking:
            telling = looking.create_task(tell_of_live_bots(desk, found.live_problem))
            await keep_bots_running(desk, stop)
            telling.cancel()
        log.info("worker finishes what it is at")
    log.info("worker has ended")


def main() -> None:
    """Run a worker; 1 when it cannot start, with a sentence that says why."""
    settings = Settings()
    configure_logs(settings.log_format, settings.log_level)
    try:
        asyncio.run(run(settings))
    except OxbotError as error:
        log.error("worker cannot run", reason=str(error))  # noqa: TRY400 - a sentence, no traceback
        code = 1
    else:
        code = 0
    end_process(code)
