"""Temporal's failures as the project's errors."""

from typing import Final

from temporalio.client import (
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from oxbot.domain.errors import (
    Conflict,
    InputError,
    NotFound,
    OxbotError,
    Unanswered,
    Unavailable,
)

REFUSALS: Final = (
    RPCError,
    RuntimeError,  # what a client that connects at its first call says when nobody listens
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)

TOLD: Final[dict[str, type[OxbotError]]] = {
    kind.__name__: kind for kind in (InputError, NotFound, Unavailable, Unanswered)
}
"""What an update was refused with, by its name; anything else is a Conflict."""


REFUSED: Final = frozenset(
    {
        RPCStatusCode.INVALID_ARGUMENT,
        RPCStatusCode.ALREADY_EXISTS,
        RPCStatusCode.PERMISSION_DENIED,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.FAILED_PRECONDITION,
        RPCStatusCode.OUT_OF_RANGE,
        RPCStatusCode.UNIMPLEMENTED,
        RPCStatusCode.UNAUTHENTICATED,
    }
)
"""Temporal's own words that it has not taken something. After anything else it may have: the
connection can break behind a request, and a refused connection can be the second try of one that
did arrive."""


def failed(error: Exception, bot_id: str) -> OxbotError:
    """Turn Temporal's words into the project's errors, after a bot was told something."""
    if isinstance(error, WorkflowUpdateFailedError):
        cause = error.cause
        told = cause.message if isinstance(cause, ApplicationError) else str(cause)
        kind = cause.type if isinstance(cause, ApplicationError) else None
        return TOLD.get(kind or "", Conflict)(told)
    if isinstance(error, WorkflowUpdateRPCTimeoutOrCancelledError):
        return Unanswered(
            f"Bot {bot_id} did not answer in time. What was asked for may still take effect: look "
            "at the bot before asking again. Is a worker running? `oxbot doctor` tells."
        )
    if isinstance(error, RPCError) and not _is_certain(error):
        return Unanswered(
            f"Temporal broke off while bot {bot_id} was told: {error}. What was asked for may "
            "still take effect: look at the bot before asking again. `oxbot doctor` tells who is "
            "away."
        )
    return unseen(error, bot_id)


def unseen(error: Exception, bot_id: str) -> OxbotError:
    """Turn Temporal's words into the project's errors, where nothing was told, or certainly not."""
    if isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND:
        return NotFound(
            f"Bot {bot_id} has no running workflow. A worker starts it again within seconds."
        )
    return Unavailable(
        f"Bot {bot_id} did not answer through Temporal: {error}. Is a worker running? "
        f"`oxbot doctor` tells."
    )


def _is_certain(error: RPCError) -> bool:
    return error.status is RPCStatusCode.NOT_FOUND or error.status in REFUSED
