"""`oxbot replay`: the whole system in a directory of its own, driven from one moment to another."""

import asyncio
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import typer
from pydantic import JsonValue
from rich.console import Console

from oxbot.adapters.venue_control import VenueControl
from oxbot.app.bots import Desk, create_bot
from oxbot.app.replay import Replay, patiently
from oxbot.app.replay_report import ReplayReport, Run
from oxbot.bootstrap import open_desk
from oxbot.cli import demo_fresh, failures, output
from oxbot.cli.config_sources import load_settings
from oxbot.cli.replay_bots import PlannedBot, planned_bots, read_json
from oxbot.cli.replay_end import must_agree, summed_up
from oxbot.cli.replay_inputs import FILE, Inputs, Stretch, open_market
from oxbot.cli.replay_live import (
    account_environment,
    live_of,
    make_account,
    must_equal,
    with_account,
)
from oxbot.cli.replay_progress import metered
from oxbot.cli.replay_table import told
from oxbot.domain.bot import BotStatus
from oxbot.domain.errors import InputError, NotFound, SetupError
from oxbot.embedded.addresses import Addresses
from oxbot.embedded.apps import LOOPBACK, SimulatorOptions
from oxbot.embedded.paths import DataDirectory
from oxbot.embedded.system import run_system
from oxbot.logs import configure_logs
from oxbot.settings import Settings
from oxbot.simulator.candles import CandleSource
from oxbot.simulator.fault_rules import parse_rules
from oxbot.simulator.venue_time import iso

PORTS: Final = ("temporal_port", "temporal_ui_port", "api_port", "simulator_port")
"""The ports that a system needs."""

QUIET: Final = {"OXBOT_LOG_LEVEL": "warning"}
"""What the processes of a replay are told: a month of cycles need not be logged one by one."""

Found = TypeVar("Found")
Reader = Callable[[Desk, Run], Awaitable[Found]]
"""Reads the record at a replay's end."""

NAME: Final = "abcdefghijklmnopqrstuvwxyz0123456789-"
LONGEST_NAME: Final = 40


@dataclass(frozen=True)
class Wishes:
    """What the command line asked for, as it was typed."""

    start: str
    end: str
    candles: Path | None
    timeframe: str
    bots: str
    seed: int
    faults: Path | None
    name: str | None
    fresh: bool

    def market(self) -> CandleSource:
        """Open the candles; InputError where that cannot be."""
        return open_market(self.candles, self.timeframe, self.seed)

    def inputs(self) -> Inputs:
        """Read and check everything.

        Raises:
            InputError: Something that cannot be; says what and where.
        """
        source = self.market()
        stretch = Stretch.of(source, self.start, self.end)
        listed = tuple(symbol.replace("-", "/") for symbol in source.symbols)
        return Inputs(
            market_sha256=stretch.sha256(),
            timeframe=self.timeframe,
            seed=self.seed,
            from_ms=stretch.from_ms,
            to_ms=stretch.to_ms,
            bots=planned_bots(self.bots, listed),
            faults=_fault_rules(self.faults) if self.faults else None,
        )

    def simulator(self, inputs: Inputs) -> SimulatorOptions:
        """How the venue begins: at the first moment, standing still."""
        return SimulatorOptions(
            candles=self.candles.absolute() if self.candles else None,
            timeframe=self.timeframe,
            seed=self.seed,
            start=iso(inputs.from_ms),
            mode="stepped",
            rate_limits=False,
            faults=self.faults.absolute() if self.faults else None,
            quick=True,
        )


def _fault_rules(file: Path) -> JsonValue:
    """Read a file of fault rules, as the simulator will.

    Raises:
        InputError: It cannot be read, or a rule that cannot be.
    """
    rules = read_json(file, "fault rules")
    try:
        parse_rules(rules)
    except InputError as error:
        raise InputError(f"{file.name}: {error}") from error
    return rules


def run(wishes: Wishes, *, as_json: bool) -> None:
    """Run the replay, or go on with it.

    Raises:
        InputError: Wishes that cannot be.
        Conflict: The replay was begun with other inputs.
        SetupError: The system cannot start.
        Unavailable: A part of it did not come back in time.
        LedgerBroken: At the end the books do not agree, or exits with the candles.
        typer.Exit: A signal came first.
    """
    settings = load_settings()
    configure_logs(settings.log_format, "warning")
    inputs = wishes.inputs()
    own = own_settings(settings, wishes.name or inputs.name)
    if wishes.fresh:
        start_over(own)
    inputs.keep(own.home)

    async def read(desk: Desk, driven: Run) -> ReplayReport:
        return await summed_up(own, desk, inputs, driven, wishes.market())

    found = drive(own, wishes.simulator(inputs), inputs, read)
    if as_json:
        output.write_json(found)
    else:
        output.console().print(told(found))
    must_agree(found, late=inputs.faults is not None)


def own_settings(settings: Settings, name: str) -> Settings:
    """Give a replay a directory and ports of its own; servers of the environment are left alone.

    Raises:
        InputError: The name is none.
    """
    if not 1 <= len(name) <= LONGEST_NAME or not set(name) <= set(NAME):
        raise InputError(
            f"--name {name!r}: up to {LONGEST_NAME} small letters, digits and hyphens, please."
        )
    servers = ("database_url", "redis_url", "temporal_address", "temporal_ui_url", "simulator_url")
    own: dict[str, object] = dict.fromkeys(servers)
    own |= dict(zip(PORTS, _free_ports(len(PORTS)), strict=True))
    data = DataDirectory.of(settings.home)
    own |= {"home": data.root / "replays" / name}
    own |= {"model_replies": settings.model_replies or data.replies}
    return settings.model_copy(update={**own, "api_host": LOOPBACK})


def _free_ports(count: int) -> list[int]:
    """Find ports that nobody has; all are held until the last is found, so that none repeats."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.create_server((LOOPBACK, 0))) for _ in range(count)]
        return [probe.getsockname()[1] for probe in probes]


def start_over(settings: Settings) -> None:
    """Empty the replay's directory; its inputs go last, so that half a replay keeps them."""
    demo_fresh.empty(settings, ask=False)
    (settings.home / FILE).unlink(missing_ok=True)


def drive(
    settings: Settings,
    simulator: SimulatorOptions,
    inputs: Inputs,
    read: Reader[Found],
    more: Mapping[str, str] | None = None,
) -> Found:
    """Run to the end, and have the record read there.

    Args:
        settings: Of the replay.
        simulator: How its venue begins.
        inputs: What it is made of.
        read: Reads the record at the end.
        more: What its processes are told besides.

    Raises:
        SetupError: The system cannot start.
        Unavailable: A part of it did not come back in time.
        typer.Exit: A signal came first.
    """
    found: list[Found] = []

    live = live_of(inputs.bots)
    if live:
        settings, more = with_account(settings), {**(more or {}), **account_environment()}

    async def body(addresses: Addresses) -> None:
        async with _opened(settings, addresses) as (desk, venue):
            if live:
                await make_account(venue, live)
            driven = await _drive(desk, venue, inputs)
            if live:
                await must_equal(desk, venue)
            found.append(await read(desk, driven))

    environment = {**QUIET, "OXBOT_MODEL_REPLIES": str(settings.model_replies), **(more or {})}
    running = run_system(
        settings, body, announce=_announce, simulator=simulator, environment=environment, quick=True
    )
    asyncio.run(running)
    if not found:
        raise typer.Exit(failures.INTERRUPTED)
    return found[0]


@asynccontextmanager
async def _opened(
    settings: Settings, addresses: Addresses
) -> AsyncIterator[tuple[Desk, VenueControl]]:
    if addresses.simulator is None:
        raise SetupError("The system runs without a simulator; a replay needs one.")
    async with open_desk(settings) as desk, VenueControl(addresses.simulator) as venue:
        yield desk, venue


async def _drive(desk: Desk, venue: VenueControl, inputs: Inputs) -> Run:
    """Go on from where the venue is to the end."""
    now_ms = (await patiently(venue.stand_still)).venue_ms
    for planned in inputs.bots:
        await patiently(partial(_make, desk, planned))
    bot_ids = tuple(planned.id for planned in inputs.bots)
    begun, cycles = time.monotonic(), 0
    one_by_one = {"at_once": 1} if inputs.faults else {}
    replay = Replay(desk, venue, bot_ids, **one_by_one)
    console = Console(stderr=True, highlight=False)
    with metered(console, inputs.from_ms, inputs.to_ms, now_ms) as meter:
        async for stop in replay.run(inputs.to_ms):
            cycles += stop.cycles
            meter.show(stop.venue_ms, cycles, time.monotonic() - begun)
    return Run(cycles=cycles, seconds=time.monotonic() - begun)


async def _make(desk: Desk, planned: PlannedBot) -> None:
    """Make a bot that is not there yet, and start one that has no workflow and should."""
    try:
        bot = await desk.store.bot(planned.id)
    except NotFound:
        await create_bot(desk, planned.settings, load_settings().model_providers, planned.id)
    else:
        if bot.status is not BotStatus.STOPPED:
            await desk.control.start(bot)


def _announce(line: str) -> None:
    sys.stderr.write(f"{line}\n")
