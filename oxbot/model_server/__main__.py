"""`python -m oxbot.model_server`: the model server as a process of its own."""

import argparse
import os
import sys

from oxbot.model_server.server import DEFAULT_PORT, run


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options on a command line; a bad one ends the process with exit code 2."""
    parser = argparse.ArgumentParser(
        prog="python -m oxbot.model_server", description="Model providers on 127.0.0.1."
    )
    port = os.environ.get("OXBOT_MODEL_SERVER_PORT") or DEFAULT_PORT
    parser.add_argument("--port", type=int, default=port, help="on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--json", action="store_true", help="say where it listens as JSON")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    options = parse(sys.argv[1:])
    sys.exit(run(options.port, as_json=options.json))
