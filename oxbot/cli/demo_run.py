"""`oxbot demo`: the whole system on this machine with a simulated OKX and one bot."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final

import psutil
import typer

from oxbot.adapters.venue_control import VenueControl
from oxbot.app.bots import Desk
from oxbot.app.stepped import drive
from oxbot.bootstrap import open_desk
from oxbot.cli import demo_fresh, failures, output
from oxbot.cli.config_sources import load_settings
from oxbot.cli.demo_bot import BOT_ID, demo_bot
from oxbot.cli.demo_live import Eye, watch
from oxbot.cli.demo_picture import Links
from oxbot.cli.demo_report import DemoReport, Timing, report, told
from oxbot.domain.errors import InputError, LedgerBroken, SetupError
from oxbot.domain.models import BASELINE, DASHSCOPE, SET_UP_BY, check_provider
from oxbot.domain.money import decimal_from
from oxbot.embedded.addresses import Addresses
from oxbot.embedded.apps import LOOPBACK, SimulatorOptions
from oxbot.embedded.servers import Announce
from oxbot.embedded.system import Body, run_system
from oxbot.logs import configure_logs
from oxbot.settings import Settings

RATE: Final = "30"
"""Venue seconds in a second: a five-minute cycle every ten seconds."""

SHOWING: Final = "2025-04-07T23:50:00Z"
"""Where the generated market's demo begins: entries in the first cycles, stops soon after."""

LOCAL: Final = (
    "{provider}'s real client asks a server on this machine, which answers by a plain rule: "
    "no AI, and nothing to pay."
)

GO_ON: Final = (
    "Stopped. `oxbot demo` goes on from here: same bot, same positions, next cycle. "
    "`oxbot demo --fresh` starts over."
)


@dataclass(frozen=True)
class Wishes:
    """What the command line asked for; `cycles` None: until Ctrl-C."""

    cycles: int | None
    speed: str | None
    candles: Path | None
    seed: int | None
    provider: str
    fresh: bool
    ask: bool

    @property
    def rate(self) -> Decimal:
        """Venue seconds in a second; 0 where the venue stands still between cycles.

        Raises:
            InputError: No number.
        """
        return Decimal(0) if self.cycles else decimal_from(self.speed or RATE, "--speed")

    @property
    def simulator(self) -> SimulatorOptions:
        """How a simulator without a past begins."""
        mode, speed = ("stepped", None) if self.cycles else ("speed", str(self.rate))
        is_usual = self.candles is None and self.seed is None
        return SimulatorOptions(
            candles=self.candles,
            seed=self.seed,
            start=SHOWING if is_usual else None,
            mode=mode,
            speed=speed,
            # Limits are in wall time: with them a stepped run would depend on this machine's speed.
            rate_limits=not self.cycles,
        )


def run(wishes: Wishes, *, as_json: bool) -> None:
    """Run the demo.

    Raises:
        InputError: Wishes that do not fit together.
        SetupError: The system cannot start.
        LedgerBroken: At the end the books do not agree.
    """
    if as_json and wishes.cycles is None:
        raise InputError("--json sums up a number of cycles; say how many with --cycles.")
    if wishes.speed is not None and wishes.cycles is not None:
        raise InputError("--cycles runs as fast as this machine can; --speed does not go with it.")
    wishes.rate  # noqa: B018 - a bad number is told before anything starts
    check_provider(wishes.provider, {BASELINE, *SET_UP_BY})
    settings = _embedded(load_settings())
    configure_logs(settings.log_format, "warning")
    if wishes.fresh:
        demo_fresh.empty(settings, ask=wishes.ask)
    if wishes.cycles is None:
        asyncio.run(_live(settings, wishes))
        output.console().print(GO_ON)
    else:
        _sum_up(asyncio.run(_batch(settings, wishes, wishes.cycles)), as_json=as_json)


def _embedded(settings: Settings) -> Settings:
    """Leave servers that the environment names alone: a demo has its own."""
    names = ("database_url", "redis_url", "temporal_address", "temporal_ui_url", "simulator_url")
    return settings.model_copy(update=dict.fromkeys(names))


async def _live(settings: Settings, wishes: Wishes) -> None:
    """Show the bot until a signal comes."""
    console = output.console()

    async def body(addresses: Addresses) -> None:
        async with _opened(settings, addresses) as (desk, venue):
            await venue.flow(wishes.rate)
            await demo_bot(desk, venue, wishes.provider)
            await desk.control.wake(BOT_ID)
            await watch(console, Eye(desk, venue, BOT_ID), Links.of(addresses, settings))

    def announce(line: str) -> None:
        console.print(line, soft_wrap=True)

    await _system(settings, wishes, body, announce)


async def _batch(settings: Settings, wishes: Wishes, cycles: int) -> DemoReport | None:
    """Run so many cycles; None when a signal came first."""
    batch = _Batch(cycles)

    async def body(addresses: Addresses) -> None:
        async with _opened(settings, addresses) as (desk, venue):
            await venue.stand_still()
            await demo_bot(desk, venue, wishes.provider)
            await desk.control.wake(BOT_ID)
            await batch.run(desk, venue)

    await _system(settings, wishes, body, _progress)
    return batch.found


async def _system(settings: Settings, wishes: Wishes, body: Body, announce: Announce) -> None:
    """Run the system around a body; a model's client is pointed at this machine, key or not."""
    local = wishes.provider != BASELINE
    if local:
        announce(LOCAL.format(provider=wishes.provider))
    await run_system(
        settings,
        body,
        announce=announce,
        simulator=wishes.simulator,
        model_server=local,
        environment=_pointed(wishes.provider, settings.model_server_port) if local else None,
    )


def _pointed(provider: str, port: int) -> dict[str, str]:
    """Give the settings by which a provider's client asks the server on this machine."""
    url = f"http://{LOOPBACK}:{port}"
    if provider == DASHSCOPE:
        return {"DASHSCOPE_API_KEY": "local", "OXBOT_DASHSCOPE_URL": url}
    return {"OPENAI_API_KEY": "local", "OPENAI_BASE_URL": f"{url}/v1"}


@dataclass
class _Batch:
    """One run of so many cycles, and what it came to."""

    cycles: int
    found: DemoReport | None = None
    numbers: list[int] = field(default_factory=list)
    first_s: float = 0

    async def run(self, desk: Desk, venue: VenueControl) -> None:
        """Run the cycles, then sum up."""
        fills_before = (await desk.store.audit(BOT_ID)).fills
        async for done in drive(desk, venue, BOT_ID, self.cycles):
            self.first_s = self.first_s or _since_start_s()
            self.numbers.append(done.cycle or 0)
            ended = f"skipped: {done.skipped}" if done.skipped else "done"
            _progress(f"cycle {done.cycle} {ended} ({len(self.numbers)} of {self.cycles})")
        covered = range(self.numbers[0], self.numbers[-1] + 1)
        timing = Timing(first_decision_s=self.first_s, all_s=_since_start_s())
        self.found = await report(desk, BOT_ID, covered, fills_before, timing)


@asynccontextmanager
async def _opened(
    settings: Settings, addresses: Addresses
) -> AsyncIterator[tuple[Desk, VenueControl]]:
    if addresses.simulator is None:
        raise SetupError("The system runs without a simulator; the demo needs one.")
    async with open_desk(settings) as desk, VenueControl(addresses.simulator) as venue:
        yield desk, venue


def _sum_up(found: DemoReport | None, *, as_json: bool) -> None:
    if found is None:
        raise typer.Exit(failures.INTERRUPTED)
    if as_json:
        output.write_json(found)
    else:
        output.console().print(told(found))
    if found.drift:
        raise LedgerBroken(
            f"The books do not agree: recomputed from the fills they differ by {found.drift}. "
            f"`oxbot bots show {BOT_ID}` shows them."
        )


def _progress(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _since_start_s() -> float:
    """Seconds since this process was started, the interpreter's own start included."""
    return time.time() - psutil.Process().create_time()
