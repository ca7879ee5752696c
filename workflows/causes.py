"""Why a step failed, in one line."""

from temporalio.exceptions import ActivityError, ApplicationError, ServerError
from temporalio.exceptions import TimeoutError as StepTimeout


def failure_of(error: ActivityError) -> BaseException | None:
    """Give the failure of a step itself, without what stands before it."""
    cause = error.cause
    while isinstance(cause, StepTimeout | ServerError) and cause.cause is not None:
        cause = cause.cause
    return cause


def cause_of(error: ActivityError) -> str:
    """Say in one line which step failed and why.

    A time limit, or the server where it cuts a failure that is too long, may stand before it.
    """
    cause = failure_of(error)
    if isinstance(cause, ApplicationError):
        return f"{error.activity_type}: {cause.type}: {cause.message}"
    if isinstance(cause, StepTimeout):
        return f"{error.activity_type}: no answer within its limit ({cause.message})"
    return f"{error.activity_type}: {cause or error}"
