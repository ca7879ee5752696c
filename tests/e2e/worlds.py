"""Worlds apart on the same servers: a venue of each can have a watch and guards of its own."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from sqlalchemy import make_url, text
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from infra.migrations import upgrade
from oxbot.adapters.postgres.engine import open_engine
from oxbot.embedded.addresses import Addresses
from tests.support.temporal_server import ATTRIBUTES, type_of

_MIGRATING = asyncio.Lock()
"""Alembic migrates one database at a time in a process."""


def namespace(number: int) -> str:
    """The name of a world's namespace in Temporal."""
    return f"world-{number}"


async def apart(servers: Addresses, number: int) -> Addresses:
    """Make a database and a namespace, and give the servers' addresses as seen from there."""
    await _make_namespace(servers.temporal, namespace(number))
    return replace(
        servers,
        database_url=await _make_database(servers.database_url, f"world_{number}"),
        redis_url=servers.redis_url.replace("db=0", f"db={number}"),
    )


async def _make_database(url: str, name: str) -> str:
    engine = open_engine(url).execution_options(isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0"))
    await engine.dispose()
    own = make_url(url).set(database=name).render_as_string(hide_password=False)
    async with _MIGRATING:
        await asyncio.to_thread(upgrade, own)
    return own


async def _make_namespace(address: str, name: str) -> None:
    client = await Client.connect(address, namespace=name, lazy=True)
    retention = Duration()
    retention.FromTimedelta(timedelta(days=1))
    await client.workflow_service.register_namespace(
        RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=retention)
    )
    types = {key.name: type_of(key) for key in ATTRIBUTES}
    request = AddSearchAttributesRequest(namespace=name, search_attributes=types)
    while True:
        try:
            await client.operator_service.add_search_attributes(request)
        except RPCError:  # the server does not know of its new namespace yet
            await asyncio.sleep(0.1)
        else:
            return
