"""`python -m oxbot.simulator`: the simulator as a process of its own."""

import argparse
import os
import sys
from pathlib import Path

from oxbot.simulator.defaults import (
    DEFAULT_MODE,
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
    add("--state", type=Path, help="file in which the clock's time survives a restart")
    add("--fresh", action="store_true", help="start anew, whatever the state file says")
    add("--json", action="store_true", help="say where it listens as a JSON object")
    return Options(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    sys.exit(run(parse(sys.argv[1:])))
