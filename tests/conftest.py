"""What all tests share."""

import logging
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

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
LOGGED: Final = structlog.get_config()


@pytest.fixture(autouse=True)
def _logs_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take back how a command has set up logging in this process: it writes to that test's stderr.

    A logger that is kept from its first use on would stay so for all tests after it.
    """
    configure, root = structlog.configure, logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def without_keeping(**named: Any) -> None:  # noqa: ANN401 - structlog's own settings
        configure(**{**named, "cache_logger_on_first_use": False})

    monkeypatch.setattr(structlog, "configure", without_keeping)
    yield
    configure(**LOGGED)
    if root.handlers != handlers:
        root.handlers, root.level = handlers, level


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
