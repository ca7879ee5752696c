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
from api_bench.figures import summed_up
from api_bench.plan import Load, Size
from oxbot.logs import configure_logs


class Asked(NamedTuple):
    """Requests a second, for how many seconds, and rows of a page."""

    rate: int
    seconds: int
    limit: int = 50


BENCH = Path(__file__).parent.parent


def main() -> None:
    asked = _asked()
    configure_logs("json", "error")
    size = Size(asked.bots, asked.fills, asked.cycles, asked.long_bots, asked.long_points)
    with tempfile.TemporaryDirectory(prefix="oxbot-bench-") as home:
        found = asyncio.run(
            measured(Path(home), size, Asked(asked.rate, asked.seconds, asked.limit))
        )
    print(json.dumps(found))
    sys.exit(1 if found["errors"] else 0)


async def measured(home: Path, size: Size, load: Asked) -> dict[str, Any]:
    """Measure in a scratch directory."""
    async with served.a_record(home) as database_url:
        rows = await filling.fill(database_url, size)
        before = await filling.transactions(database_url)
        found = await asyncio.to_thread(_driven, database_url, home, size, load)
        committed = await filling.transactions(database_url) - before
    return {
        "benchmark": "api",
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "versions": {name: version(name) for name in ("fastapi", "uvicorn", "sqlalchemy")},
        "rows": rows,
        **load._asdict(),
        **found,
        "transactions_a_request": round(committed / (load.rate * load.seconds), 2),
    }


def _driven(database_url: str, home: Path, size: Size, load: Asked) -> dict[str, Any]:
    with served.an_api(database_url, home) as (url, process):
        wanted = Load(url, load.rate, load.seconds, size.bots, load.limit)
        given = {"load": wanted.as_json(), "token": served.a_token(url)}
        before_s = _cpu_s(process)
        done = subprocess.run(
            [sys.executable, "-m", "api_bench.driver"],
            input=json.dumps(given),
            capture_output=True,
            text=True,
            check=False,
            cwd=BENCH,
        )
        worked_ms = (_cpu_s(process) - before_s) * 1000
    if done.returncode:
        sys.exit(f"The driver ended with {done.returncode}:\n{done.stderr}")
    found = summed_up(json.loads(done.stdout))
    return {**found, "api_cpu_ms_a_request": round(worked_ms / (load.rate * load.seconds), 2)}


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
    parser.add_argument("--json", action="store_true", help="only the JSON line")
    return parser.parse_args()
