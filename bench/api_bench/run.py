"""Fills a record, serves it, has it asked, and prints what came of it."""

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from api_bench import filling, served
from api_bench.events import followed
from api_bench.figures import missed, summed_up
from api_bench.plan import WARM_UP, Load, Size
from oxbot.logs import configure_logs


class Asked(NamedTuple):
    """Requests a second, for how many seconds, rows of a page; clients that follow events."""

    rate: int
    seconds: int
    limit: int = 50
    clients: int = 200
    events: int = 200


BENCH = Path(__file__).parent.parent


def main() -> None:
    asked = _asked()
    configure_logs("json", "error")
    size = Size(asked.bots, asked.fills, asked.cycles, asked.long_bots, asked.long_points)
    with tempfile.TemporaryDirectory(prefix="oxbot-bench-") as home:
        found = asyncio.run(
            measured(
                Path(home),
                size,
                Asked(asked.rate, asked.seconds, asked.limit, asked.clients, asked.events),
            )
        )
    short = missed(found)
    for told in short:
        print(told, file=sys.stderr)
    print(json.dumps({**found, "goals_met": not short}))
    is_wrong = found["errors"] or found["events_lost"] or (short and asked.strict)
    sys.exit(1 if is_wrong else 0)


async def measured(home: Path, size: Size, load: Asked) -> dict[str, Any]:
    """Measure in a scratch directory."""
    async with served.a_record(home) as database_url:
        rows = await filling.fill(database_url, size)
        found = await _served(database_url, home, size, load)
    return {
        "benchmark": "api",
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "versions": {name: version(name) for name in ("fastapi", "uvicorn", "sqlalchemy")},
        "rows": rows,
        **load._asdict(),
        **found,
    }


async def _served(database_url: str, home: Path, size: Size, load: Asked) -> dict[str, Any]:
    """Ask for lists and curves first, for single bots then, and follow events."""
    with served.an_api(database_url, home) as (url, token, process):
        wanted = Load(
            url, load.rate, load.seconds, size.bots, load.limit, load.clients, load.events
        )
        before, before_s = await filling.transactions(database_url), _cpu_s(process)
        found = await asyncio.to_thread(_driven, wanted, token)
        worked_ms = (_cpu_s(process) - before_s) * 1000
        committed = await filling.transactions(database_url) - before
        of_bots = await asyncio.to_thread(_driven, wanted.of_single_bots(), token)
        heard = await followed(database_url, wanted, token)
    sent = WARM_UP + wanted.requests
    return {
        **of_bots,
        **found,
        "errors": found["errors"] + of_bots["errors"],
        "api_cpu_ms_a_request": round(worked_ms / sent, 2),
        "transactions_a_request": round(committed / sent, 2),
        **heard,
    }


def _driven(wanted: Load, token: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "api_bench.driver"],
        input=json.dumps({"load": wanted.as_json(), "token": token}),
        capture_output=True,
        text=True,
        check=False,
        cwd=BENCH,
    )
    if done.returncode:
        sys.exit(f"The driver ended with {done.returncode}:\n{done.stderr}")
    return summed_up(json.loads(done.stdout))


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _asked() -> argparse.Namespace:
    size = Size()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bots", type=int, default=size.bots)
    parser.add_argument("--fills", type=int, default=size.fills, help="of all bots")
    parser.add_argument("--cycles", type=int, default=size.cycles, help="of each bot")
    parser.add_argument("--long-bots", type=int, default=size.long_bots)
    parser.add_argument("--long-points", type=int, default=size.long_points)
    parser.add_argument("--rate", type=int, default=200, help="requests a second")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--limit", type=int, default=50, help="rows of a page")
    parser.add_argument("--clients", type=int, default=200, help="that follow live events")
    parser.add_argument("--events", type=int, default=200, help="that are told, ten a second")
    parser.add_argument("--strict", action="store_true", help="exit code 1 where a goal is missed")
    parser.add_argument("--json", action="store_true", help="only the JSON line")
    return parser.parse_args()
