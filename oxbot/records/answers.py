"""What models have said lately, and who polls for work, as `/status` tells it."""

from oxbot.domain.values import Value


class LastAnswers(Value):
    """The last decisions of a provider's models on record, wall ms; None where there is none.

    `failure` says why no decision came of the last question that failed.
    """

    success_ms: int | None = None
    failure_ms: int | None = None
    failure: str = ""


class Poller(Value):
    """Somebody who polls a task queue: for what, and when he last did (wall ms)."""

    identity: str
    polls: tuple[str, ...]
    seen_ms: int
