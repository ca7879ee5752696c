"""Which of Redis' failures mean that it does not answer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, ReadOnlyError
from redis.exceptions import TimeoutError as RedisTimeoutError

from oxbot.domain.errors import StoreUnavailable


@asynccontextmanager
async def answering(loss: str) -> AsyncIterator[None]:
    """Turn what Redis raises when it does not answer, or can keep nothing now.

    Args:
        loss: What is missing meanwhile, as a sentence's beginning: "Prices are missing".

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
            f"Redis does not answer ({cause}). {loss} until it does; try again."
        ) from error
