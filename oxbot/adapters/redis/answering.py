"""Which of Redis' failures mean that it does not answer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, ReadOnlyError
from redis.exceptions import TimeoutError as RedisTimeoutError

from oxbot.domain.errors import StoreUnavailable


@asynccontextmanager
async def answering() -> AsyncIterator[None]:
    """Turn what Redis raises when it does not answer, or can keep nothing now.

    Raises:
        StoreUnavailable: It does not answer.
    """
    try:
        yield
    except (
        RedisConnectionError,
        RedisTimeoutError,
        ReadOnlyError,
        OutOfMemoryError,
        OSError,
    ) as error:
        cause = str(error) or type(error).__name__
        raise StoreUnavailable(
            f"Redis does not answer ({cause}). Nothing is lost but what it shares; try again."
        ) from error
