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


def failed(error: Exception, bot_id: str) -> OxbotError:
    """Turn Temporal's words into the project's errors."""
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
    if isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND:
        return NotFound(
            f"Bot {bot_id} has no running workflow. A worker starts it again within seconds."
        )
    return Unavailable(
        f"Bot {bot_id} did not answer through Temporal: {error}. Is a worker running? "
        f"`oxbot doctor` tells."
    )
