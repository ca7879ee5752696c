"""How soon the demo decides for the first time, cold and warm, and what a stepped cycle takes.

Each repetition starts the whole system in a scratch directory, steps through some cycles,
stops it, and starts it again on the same data. Times are wall seconds of the whole machine's
work: Temporal, PostgreSQL, Redis, simulator, worker and driver share its cores. Compare
figures of one run with each other; absolute times say more about the machine.
"""

import argparse
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from oxbot.cli.demo_report import DemoReport

PORTS = ("OXBOT_TEMPORAL_PORT", "OXBOT_TEMPORAL_UI_PORT", "OXBOT_API_PORT", "OXBOT_SIMULATOR_PORT")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--cycles", type=int, default=30)
    parser.add_argument("--json", action="store_true", help="only the JSON line")
    asked = parser.parse_args()
    runs = list(_runs(asked.repetitions, asked.cycles, quiet=asked.json))
    cold, warm = [run[0] for run in runs], [run[1] for run in runs]
    print(
        json.dumps(
            {
                "benchmark": "demo",
                "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
                "versions": {name: version(name) for name in ("temporalio", "ccxt", "sqlalchemy")},
                "durability": "Temporal: SQLite, WAL, synchronous=full; PostgreSQL: fsync on",
                "repetitions": asked.repetitions,
                "cycles": asked.cycles,
                "cold_first_decision_s": _spread([run.seconds_to_first_decision for run in cold]),
                "warm_first_decision_s": _spread([run.seconds_to_first_decision for run in warm]),
                "cycle_ms": _spread([_cycle_ms(run) for run in cold + warm]),
                "same_ledger": len({run.equity for run in cold}) == 1,
                "drift": sorted({str(run.drift) for run in cold + warm}),
            }
        )
    )


def _runs(repetitions: int, cycles: int, *, quiet: bool) -> Iterator[tuple[DemoReport, DemoReport]]:
    for number in range(1, repetitions + 1):
        if not quiet:
            print(f"repetition {number} of {repetitions}", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="oxbot-bench-") as home:
            yield _demo(Path(home), cycles), _demo(Path(home), cycles)


def _demo(home: Path, cycles: int) -> DemoReport:
    """Run the demo once and read its JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "oxbot", "demo", "--cycles", str(cycles), "--json"],
        env={**os.environ, **_free_ports(), "OXBOT_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"The demo ended with {done.returncode}:\n{done.stderr}")
    return DemoReport.model_validate_json(done.stdout)


def _free_ports() -> dict[str, str]:
    """Give every port that the demo needs, distinct and free at this moment."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in PORTS]
    numbers = [str(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return dict(zip(PORTS, numbers, strict=True))


def _cycle_ms(run: DemoReport) -> float:
    return (run.seconds - run.seconds_to_first_decision) / (run.cycles - 1) * 1000


def _spread(figures: Sequence[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(figures), 2),
        "min": round(min(figures), 2),
        "max": round(max(figures), 2),
    }


if __name__ == "__main__":
    main()
