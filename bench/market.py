"""How soon a bot sees the market, and how often the exchange is asked for it.

Real PostgreSQL, Redis, simulator, ccxt client and WebSocket, each on this machine:

- snapshot_ms: the snapshot of five symbols made anew after each five-minute candle, with a
  whole new candle of every length at the full hours; connections are warm.
- cached_snapshot_ms: the same snapshot for the next bot of the same worker.
- redis_snapshot_ms: the same snapshot found in Redis, once a candle by each other worker.
- tick_to_board_ms: from the exchange's time stamp on a pushed ticker until the price is on the
  board; the venue's clock runs at the pace of life.
- rest_calls_per_minute: requests that reach the exchange a minute of venue time, while one bot
  and while a thousand bots with symbols of their own choice look at the market, half of them
  in each of two workers, at every five-minute tick.
- load_markets_cpu_s: reading 700 instruments; shared_markets_cpu_s: taking them from Redis.
- replay_cycles_per_s: `oxbot replay` of some hours with one bot and five symbols.

Compare figures of one run with each other; absolute times say more about the machine.
"""

import argparse
import asyncio
import itertools
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from infra.migrations import upgrade
from oxbot.adapters.okx.stream import OkxStream
from oxbot.adapters.venue_control import VenueControl
from oxbot.app.ports import Ports
from oxbot.app.prices import current_quotes
from oxbot.app.snapshots import snapshot_of
from oxbot.app.timing import RealTimer, RecentClock
from oxbot.bootstrap import open_ports
from oxbot.domain.bot import DEFAULT_SYMBOLS
from oxbot.domain.market import CANDLE_MS
from oxbot.embedded import postgres, redis
from oxbot.embedded.servers import embedded_servers
from oxbot.settings import Settings
from oxbot.simulator.options import Options, open_venue
from oxbot.simulator.server import create_app

START = "2025-03-01T00:00:00Z"
INSTRUMENTS = 700
AT_ONCE = 100
"""Activities that a worker runs at the same time, by Temporal's default."""

TRUSTED_S = 15

REPLAY_FROM, REPLAY_TO = "2025-04-08T00:00:00Z", "2025-04-08T{hours:02}:00:00Z"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candles", type=int, default=200, help="five-minute candles to look at")
    parser.add_argument("--bots", type=int, default=1000)
    parser.add_argument("--ticks", type=int, default=12, help="five-minute ticks of the fleet")
    parser.add_argument("--seconds", type=float, default=20, help="of streamed prices")
    parser.add_argument("--replay-hours", type=int, default=8)
    parser.add_argument("--json", action="store_true", help="only the JSON line")
    print(json.dumps(asyncio.run(_measured(parser.parse_args()))))


async def _measured(asked: argparse.Namespace) -> dict[str, object]:
    def tell(line: str) -> None:
        if not asked.json:
            print(line, file=sys.stderr)

    with tempfile.TemporaryDirectory(prefix="oxbot-bench-") as home:
        settings = Settings(home=Path(home), log_level="error")
        async with _servers(settings) as served:
            tell("snapshots")
            made, cached, found = await _snapshots(served, asked.candles)
            tell("streamed prices")
            ticks = await _tick_to_board(served, asked.seconds)
            tell("instruments")
            markets, shared = await _markets(served)
    calls = {}
    for bots in (1, asked.bots):
        tell(f"requests of {bots} bots")
        with tempfile.TemporaryDirectory(prefix="oxbot-bench-") as home:
            settings = Settings(home=Path(home), log_level="error")
            async with _servers(settings) as served:
                calls[bots] = await _calls(served, bots, asked.ticks)
    if len(set(calls.values())) > 1:
        sys.exit(f"The exchange is asked more often by more bots: {calls} requests a minute.")
    tell("replay")
    replay = _replay(asked.replay_hours)
    return {
        "benchmark": "market",
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "versions": {name: version(name) for name in ("ccxt", "redis", "sqlalchemy", "ta-lib")},
        "durability": "PostgreSQL: fsync on; the replay's servers: quick",
        "snapshot_p99_ms": _p99(made),
        "snapshot_ms": _spread(made),
        "cached_snapshot_p99_ms": _p99(cached),
        "cached_snapshot_ms": _spread(cached),
        "redis_snapshot_p99_ms": _p99(found),
        "redis_snapshot_ms": _spread(found),
        "tick_to_board_p99_ms": _p99(ticks),
        "tick_to_board_ms": _spread(ticks),
        "rest_calls_per_minute": {str(bots): round(rate, 2) for bots, rate in calls.items()},
        "instruments": INSTRUMENTS,
        "load_markets_cpu_s": _spread(markets),
        "shared_markets_cpu_s": _spread(shared),
        **replay,
    }


@asynccontextmanager
async def _servers(settings: Settings) -> AsyncIterator[Settings]:
    """Run PostgreSQL and Redis in a scratch directory; give settings that lead to them."""
    names = (postgres.NAME, redis.NAME)
    async with embedded_servers(settings, lambda _line: None, names) as addresses:
        await asyncio.to_thread(upgrade, addresses.database_url)
        found = {"database_url": addresses.database_url, "redis_url": addresses.redis_url}
        yield settings.model_copy(update=found | {"temporal_address": "127.0.0.1:1"})


async def _snapshots(
    settings: Settings, candles: int
) -> tuple[list[float], list[float], list[float]]:
    """Time the making of a snapshot, having it already, and finding it in Redis; in ms."""
    made, cached, shared = [], [], []
    async with _simulator("--mode", "stepped") as url, AsyncExitStack() as stack:
        found = settings.model_copy(update={"simulator_url": url})
        venue = await stack.enter_async_context(VenueControl(url))
        first, second = [await stack.enter_async_context(open_ports(found)) for _ in range(2)]
        for tick in _ticks((await venue.time()).venue_ms, candles + 1):
            await venue.advance_to(tick)
            made.append(await _one_snapshot(first))
            cached.append(await _one_snapshot(first))
            shared.append(await _one_snapshot(second))
    return made[1:], cached[1:], shared[1:]


async def _one_snapshot(ports: Ports) -> float:
    clock = await ports.clock.reading()
    begun = time.perf_counter()
    await snapshot_of(ports, DEFAULT_SYMBOLS, clock)
    return (time.perf_counter() - begun) * 1000


async def _tick_to_board(settings: Settings, seconds: float) -> list[float]:
    """Time a pushed price from its stamp to the board, both by this machine's clock; in ms."""
    ages: list[float] = []
    async with _simulator("--rate", "1") as url, AsyncExitStack() as stack:
        found = settings.model_copy(update={"simulator_url": url})
        ports = await stack.enter_async_context(open_ports(found))
        clock = await ports.clock.reading()
        recent = RecentClock(ports.clock, RealTimer())
        stream = OkxStream(f"{url.replace('http', 'ws')}/ws/v5")
        until = time.monotonic() + seconds
        async for quotes in stream.quotes(DEFAULT_SYMBOLS, recent.reading):
            await ports.board.put("bench", quotes)
            now_ms = clock.venue_ms + (time.time() * 1000 - clock.wall_ms) * float(clock.rate)
            ages.extend(now_ms - quote.exchange_ms for quote in quotes)
            if time.monotonic() > until:
                break
        await stream.close()
    return ages[len(DEFAULT_SYMBOLS) :]


async def _calls(settings: Settings, bots: int, ticks: int) -> float:
    """Count what reaches the exchange a minute of venue time, whoever asks."""
    async with _counting() as (url, counter), AsyncExitStack() as stack:
        found = settings.model_copy(update={"simulator_url": url, "redis_url": settings.redis_url})
        venue = await stack.enter_async_context(VenueControl(url))
        workers = [await stack.enter_async_context(open_ports(found)) for _ in range(2)]
        places = [asyncio.Semaphore(AT_ONCE) for _ in workers]
        choices = _choices(bots)
        begun_ms = (await venue.time()).venue_ms
        first = True
        for tick in _ticks(begun_ms, ticks + 1):
            await venue.advance_to(tick)
            await asyncio.gather(
                *(_look(workers[n % 2], places[n % 2], s) for n, s in enumerate(choices))
            )
            counter.count = 0 if first else counter.count
            first = False
        return counter.count / (ticks * CANDLE_MS / 60_000)


async def _look(ports: Ports, places: asyncio.Semaphore, symbols: Sequence[str]) -> None:
    async with places:
        clock = await ports.clock.reading()
        await snapshot_of(ports, symbols, clock)
        await current_quotes(ports, symbols, clock, TRUSTED_S)


def _choices(bots: int) -> list[tuple[str, ...]]:
    """Give each bot symbols of its own; the first bot has all five, so that all are asked for."""
    draw = random.Random(7)  # noqa: S311 - which symbols, not a secret
    rest = [
        tuple(draw.sample(DEFAULT_SYMBOLS, draw.randint(1, len(DEFAULT_SYMBOLS))))
        for _ in range(bots - 1)
    ]
    return [DEFAULT_SYMBOLS, *rest]


async def _markets(settings: Settings) -> tuple[list[float], list[float]]:
    """Measure the CPU seconds of reading all instruments from the exchange, and from Redis."""
    asked, shared = [], []
    made_up = INSTRUMENTS - len(DEFAULT_SYMBOLS)
    async with _simulator("--mode", "stepped", "--listed", str(made_up)) as url:
        found = settings.model_copy(update={"simulator_url": url})
        for _ in range(5):
            async with open_ports(found) as ports:
                asked.append(await _listing_cpu_s(ports, fresh=True))
            async with open_ports(found) as ports:
                shared.append(await _listing_cpu_s(ports, fresh=False))
    return asked, shared


async def _listing_cpu_s(ports: Ports, *, fresh: bool) -> float:
    begun = time.process_time()
    listing = await ports.feed.listing(fresh=fresh)
    spent = time.process_time() - begun
    if len(listing) != INSTRUMENTS:
        sys.exit(f"{len(listing)} instruments were listed, not {INSTRUMENTS}.")
    return spent


def _replay(hours: int) -> dict[str, object]:
    """Replay some hours in a process of its own, as a person does."""
    with tempfile.TemporaryDirectory(prefix="oxbot-bench-") as home:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "oxbot", "replay", "--json"),
                *("--from", REPLAY_FROM, "--to", REPLAY_TO.format(hours=hours)),
            ],
            env={**os.environ, "OXBOT_HOME": home},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        sys.exit(f"The replay ended with {done.returncode}:\n{done.stderr}")
    told = json.loads(done.stdout)
    return {"replay_cycles": told["cycles"], "replay_cycles_per_s": told["cycles_per_s"]}


@asynccontextmanager
async def _simulator(*arguments: str) -> AsyncIterator[str]:
    """Run the simulator in a process of its own; give its address."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "oxbot.simulator", "--port", "0", "--json", "--no-rate-limits"),
        *("--start", START),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        if process.stdout is None:
            raise RuntimeError("the simulator has no output to read")
        yield json.loads(await process.stdout.readline())["url"]
    finally:
        process.terminate()
        await process.wait()


@dataclass
class _Counter:
    """How many requests for market data came."""

    count: int = 0


@asynccontextmanager
async def _counting() -> AsyncIterator[tuple[str, _Counter]]:
    """Serve a simulator in this process, which counts what it is asked."""
    counter = _Counter()

    @web.middleware
    async def counted(request: web.Request, handler: Handler) -> web.StreamResponse:
        counter.count += request.path.startswith("/api/v5/")
        return await handler(request)

    app = create_app(open_venue(Options(start=START, mode="stepped")))
    app.middlewares.append(counted)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", counter
    finally:
        await runner.cleanup()


def _ticks(now_ms: int, count: int) -> Iterable[int]:
    first = (now_ms // CANDLE_MS + 1) * CANDLE_MS
    return itertools.islice(itertools.count(first, CANDLE_MS), count)


def _p99(figures: Sequence[float]) -> float:
    return round(statistics.quantiles(figures, n=100)[98], 2)


def _spread(figures: Sequence[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(figures), 3),
        "min": round(min(figures), 3),
        "max": round(max(figures), 3),
        "samples": len(figures),
    }


if __name__ == "__main__":
    main()
