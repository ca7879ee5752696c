"""Real PostgreSQL and Redis, and what stands on them."""

from tests.support.servers import (
    board,
    database_url,
    empty_database_url,
    engine,
    postgres_url,
    redis_server_url,
    redis_url,
    server_home,
    store,
)

__all__ = [
    "board",
    "database_url",
    "empty_database_url",
    "engine",
    "postgres_url",
    "redis_server_url",
    "redis_url",
    "server_home",
    "store",
]
