"""Joins looking at the system itself with its servers."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final

from oxbot.bootstrap.addresses import resolve
from oxbot.domain.models import BASELINE, DASHSCOPE, OPENAI, SET_UP_BY
from oxbot.settings import Settings

if TYPE_CHECKING:
    from oxbot.app.system_status import ModelSetup, Probes

POOL: Final = 2


@asynccontextmanager
async def open_probes(settings: Settings) -> "AsyncIterator[Probes]":
    """Open what the system is looked at by, on connections of its own.

    Raises:
        SetupError: No system is running, and none is named.
    """
    from oxbot.adapters.postgres.engine import open_engine  # noqa: PLC0415 - as in open_desk
    from oxbot.adapters.postgres.probe import PostgresProbe  # noqa: PLC0415 - as above
    from oxbot.adapters.redis.board import open_redis  # noqa: PLC0415 - as above
    from oxbot.adapters.redis.breaker import RedisBreaker  # noqa: PLC0415 - as above
    from oxbot.adapters.redis.probe import RedisProbe  # noqa: PLC0415 - as above
    from oxbot.adapters.temporal.client import connect  # noqa: PLC0415 - as above
    from oxbot.adapters.temporal.probe import TemporalProbe  # noqa: PLC0415 - as above
    from oxbot.app.system_status import Probes  # noqa: PLC0415 - as above

    found = resolve(settings)
    async with AsyncExitStack() as stack:
        engine = open_engine(found.database_url or "", pool_size=POOL)
        stack.push_async_callback(engine.dispose)
        redis = open_redis(found.redis_url or "")
        stack.push_async_callback(redis.aclose)
        client = await connect(found.temporal_address or "", found.temporal_namespace, lazy=True)
        record, temporal = PostgresProbe(engine), TemporalProbe(client, found.task_queue)
        yield Probes(
            servers={"PostgreSQL": record, "Redis": RedisProbe(redis), "Temporal": temporal},
            task_queue=found.task_queue,
            queue=temporal,
            models=model_setups(found),
            answers=record,
            breaker=RedisBreaker(redis),
        )


def model_setups(settings: Settings) -> "tuple[ModelSetup, ...]":
    """Give the providers as these settings have them; the baseline needs neither key nor price."""
    from oxbot.app.system_status import ModelSetup  # noqa: PLC0415 - as in open_desk

    named = {
        DASHSCOPE: (settings.dashscope_model, settings.dashscope_api_key),
        OPENAI: (settings.openai_model, settings.openai_api_key),
    }
    others = (
        ModelSetup(
            provider=provider,
            model=model,
            usable=provider in settings.model_providers,
            has_key=bool(key),
            priced=model in settings.known_cards,
            set_up_by="" if provider in settings.model_providers else SET_UP_BY[provider],
        )
        for provider, (model, key) in named.items()
    )
    baseline = ModelSetup(provider=BASELINE, model="", usable=True, has_key=None, priced=True)
    return (baseline, *others)
