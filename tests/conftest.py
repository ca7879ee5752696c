"""What all tests share."""

import sys
import time

import pytest
from hypothesis import HealthCheck, settings

# Properties are checked however slow the machine is: no test asserts a measured time.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """Let the native threads of Temporal's SDK end before the interpreter does.

    A process that ran a worker sometimes aborts at its exit otherwise, which would redden a
    run whose tests all passed.
    """
    if "temporalio.worker" in sys.modules:
        time.sleep(0.3)
