"""Real Temporal servers for tests: one dev server a session, a time-skipping one for each test.

`dev_server` has all of Temporal's semantics, in memory; so has `terse_server`, which suggests new
runs early. In `time_skipping_server` a day passes
in seconds; it is Temporal's own test server, with some features missing.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Final

import pytest
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.common import SearchAttributeKey
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from oxbot.embedded import temporal_binary
from tests.support import time_skipping
from workflows import attributes

ATTRIBUTES = (attributes.STATUS, attributes.MODE, attributes.OWNER, attributes.SYMBOLS)

START_WITHIN: Final = timedelta(seconds=120)
"""A server may take this long to start, however busy the machine is; the SDK gives it five."""

LONG: Final = 100
"""Events after which `terse_server` suggests to go on in a new run."""


@pytest.fixture(scope="session")
async def temporal_program() -> temporal_binary.TemporalBinary:
    """The `temporal` program: found, downloaded or built."""
    return await temporal_binary.obtain(time_skipping.announce)


@pytest.fixture(scope="session")
async def dev_server(
    temporal_program: temporal_binary.TemporalBinary,
) -> AsyncIterator[WorkflowEnvironment]:
    """A whole Temporal server on loopback, its data in memory."""
    async with await started(temporal_program) as environment:
        yield environment


@pytest.fixture
async def terse_server(
    temporal_program: temporal_binary.TemporalBinary,
) -> AsyncIterator[WorkflowEnvironment]:
    """A whole Temporal server that calls a history long which has `LONG` events."""
    limit = f"limit.historyCount.suggestContinueAsNew={LONG}"
    async with await started(temporal_program, "--dynamic-config-value", limit) as environment:
        yield environment


async def started(program: temporal_binary.TemporalBinary, *options: str) -> WorkflowEnvironment:
    """Start a dev server."""
    return await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(program.path),
        data_converter=pydantic_data_converter,
        search_attributes=ATTRIBUTES,
        dev_server_log_level="error",
        dev_server_startup_timeout=START_WITHIN,
        dev_server_extra_args=options,
    )


@pytest.fixture
async def time_skipping_server() -> AsyncIterator[WorkflowEnvironment]:
    """A Temporal server whose time leaps from timer to timer; each test has its own.

    One that lost a query or a terminated run never skips again, so none is shared.
    """
    program = await asyncio.to_thread(time_skipping.obtain)
    environment = await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(program),
        test_server_startup_timeout=START_WITHIN,
        data_converter=pydantic_data_converter,
    )
    async with environment:
        await environment.client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                namespace=environment.client.namespace,
                search_attributes={key.name: type_of(key) for key in ATTRIBUTES},
            )
        )
        yield environment


def type_of(key: SearchAttributeKey[Any]) -> IndexedValueType.ValueType:  # Any: types differ
    """Give the type of a search attribute as the server numbers it."""
    return IndexedValueType.ValueType(int(key.indexed_value_type))
