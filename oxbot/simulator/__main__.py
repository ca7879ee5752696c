"""`python -m oxbot.simulator`: the simulator as a process of its own."""

import argparse
import os
import sys
from pathlib import Path

from oxbot.simulator.defaults import (
    DEFAULT_BOOK_GROWTH,
    DEFAULT_BOOK_SPREAD,
    DEFAULT_BOOK_USDT,
    DEFAULT_MODE,
    DEFAULT_OVERALL_LIMIT,
    DEFAULT_PORT,
    DEFAULT_RATE,
    DEFAULT_SEED,
    DEFAULT_TIMEFRAME,
)
from oxbot.simulator.options import Options
from oxbot.simulator.server import run


def parse(arguments: list[str]) -> Options:
    """The options on a command line; a bad one ends the process with exit code 2."""
    parser = argparse.ArgumentParser(
        prog="python -m oxbot.simulator", description="A simulated OKX on 127.0.0.1."
    )
    port = os.environ.get("OXBOT_SIMULATOR_PORT") or DEFAULT_PORT
    add = parser.add_argument
    add("--port", type=int, default=port, help="port on 127.0.0.1; 0 takes a free one")
    add("--candles", type=Path, help="folder of candle files instead of the generated market")
    add("--timeframe", default=DEFAULT_TIMEFRAME, help="candle length of the files: 1m or 5m")
    add("--seed", type=int, default=DEFAULT_SEED, help="seed of the generated market")
    add("--start", help="where the clock starts, as 2025-01-01T00:00:00Z")
    add("--mode", default=DEFAULT_MODE, help="speed or stepped")
    add("--rate", "--speed", default=DEFAULT_RATE, help="venue seconds in a second, up to 3600")
    add("--state", type=Path, help="file in which time, faults and accounts survive")
    add("--fresh", action="store_true", help="start anew, whatever the state file says")
    add("--quick", action="store_true", help="do not wait for the disk with the state file")
    add("--faults", type=Path, help="file of fault rules to begin with")
    add("--listed", type=int, default=0, help="so many made-up pairs beside the market's")
    add("--book-usdt", default=DEFAULT_BOOK_USDT, help="worth of a book's best level, USDT")
    add("--book-growth", default=DEFAULT_BOOK_GROWTH, help="growth a level, percent")
    add("--book-spread", type=int, default=DEFAULT_BOOK_SPREAD, help="spread in ticks")
    add(
        "--rate-limits",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="refuse clients that ask more often than OKX lets them",
    )
    add(
        "--overall-limit",
        type=int,
        default=DEFAULT_OVERALL_LIMIT,
        help="requests in two seconds of one client over all endpoints",
    )
    add("--json", action="store_true", help="say where it listens as a JSON object")
    return Options(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    sys.exit(run(parse(sys.argv[1:])))
