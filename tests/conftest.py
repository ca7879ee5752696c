"""What all tests share."""

import signal
import sys
import time
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

# Properties are checked however slow the machine is: no test asserts a measured time.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("unhurried"), max_examples=15)
settings.load_profile("unhurried")

# The renderer's richer tracebacks print all that is in scope, which takes seconds under a test.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        ),
    ]
)

# What a script runs in the background ignores Ctrl-C, and so would the commands under test.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

LONGEST = ("e2e", "workflows")
"""Directories of the longest tests; begun last, they would leave all workers but one idle."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest tests."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    directory = item.path.relative_to(Path(__file__).parent).parts[0]
    return LONGEST.index(directory) if directory in LONGEST else len(LONGEST)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """Let the native threads of Temporal's SDK end before the interpreter does.

    A process that ran a worker sometimes aborts at its exit otherwise, which would redden a
    run whose tests all passed.
    """
    if "temporalio.worker" in sys.modules:
        time.sleep(0.3)
