"""`python -m tests.support.programs`: fetch the Temporal servers that the tests need, once.

Side by side with tests, a build from source might outlast the time limit of the test that
waits for it. What cannot be fetched is told here, and again by each test that needs it.
"""

import asyncio

from oxbot.domain.errors import SetupError
from oxbot.embedded import temporal_binary
from tests.support import time_skipping


async def main() -> None:
    """Fetch both at the same time."""
    await asyncio.gather(_temporal(), asyncio.to_thread(_time_skipping))


async def _temporal() -> None:
    try:
        await temporal_binary.obtain(time_skipping.announce)
    except SetupError as error:
        time_skipping.announce(str(error))


def _time_skipping() -> None:
    try:
        time_skipping.obtain()
    except time_skipping.NoTestServerError as error:
        time_skipping.announce(str(error))


if __name__ == "__main__":
    asyncio.run(main())
