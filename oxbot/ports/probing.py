"""What looking at the system itself needs: servers, whoever polls for work, models' last words."""

from collections.abc import Collection
from typing import Protocol

from oxbot.records.answers import LastAnswers, Poller


class Server(Protocol):
    """A server that the system lives on; any answer is a sign of life."""

    async def version(self) -> str:
        """Give its version.

        Raises:
            Unavailable: It does not answer.
        """
        ...


class TaskQueue(Protocol):
    """Where workers poll for work."""

    async def pollers(self) -> list[Poller]:
        """Give who has polled in the last minutes.

        Raises:
            Unavailable: Temporal does not say.
        """
        ...


class Answers(Protocol):
    """What models have decided."""

    async def last_answers(self, providers: Collection[str]) -> dict[str, LastAnswers]:
        """Give the last success and failure of each provider, of the newest decisions on record.

        Raises:
            StoreUnavailable: PostgreSQL does not answer.
        """
        ...
