"""Run by Alembic: migrates on the connection that `infra.migrations.upgrade` holds."""

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy.types import TypeDecorator

from oxbot.adapters.postgres.schema import metadata


def _as_stored(kind: str, item: object, _: AutogenContext) -> str | Literal[False]:
    """Write the database's own type into a new migration: it must not change with the code."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl_instance!r}"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_server_default=True,
    render_item=_as_stored,
)
with context.begin_transaction():
    context.run_migrations()
