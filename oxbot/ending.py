"""The end of a process that may have used Temporal's SDK."""

import os
import sys
from contextlib import suppress
from typing import Final, NoReturn

NATIVE: Final = "temporalio.bridge.temporal_sdk_bridge"
"""The module of the SDK that runs threads of its own."""


def end_process(code: int) -> NoReturn:
    """Write out what was printed, and end with an exit code.

    The SDK's native threads sometimes abort the interpreter's own exit, which would turn a clean
    end into a crash. Where the SDK was loaded, the process ends without it.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # closed, or nobody reads any more
            stream.flush()
    if NATIVE in sys.modules:
        os._exit(code)
    sys.exit(code)
