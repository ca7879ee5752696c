"""Tells Temporal which of the project's errors can be retried, and how soon."""

from datetime import timedelta
from typing import Any

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from oxbot.domain.errors import OutcomeUnknown, OxbotError, Unavailable

log = structlog.get_logger(__name__)


class FailureInterceptor(Interceptor):
    """Translates every error of the project where it leaves an activity: one place for all."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - Temporal's name
        """Wrap an activity."""
        return _Translator(next)


class _Translator(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002, ANN401 - Temporal's signature
        try:
            return await super().execute_activity(input)
        except OxbotError as error:
            # Histories keep what happened, not our stack: a long failure is cut by the server.
            log.debug("step failed", activity=activity.info().activity_type, exc_info=error)
            raise translated(error) from None


def translated(error: OxbotError) -> ApplicationError:
    """Give the failure that Temporal sees: the class as type, final ones not retried.

    Somebody else's outage is benign, and so is an order of which nobody knows yet: it is looked
    at again, and no fault of the worker's.
    """
    outage = isinstance(error, Unavailable | OutcomeUnknown)
    wait_s = error.retry_after_s if isinstance(error, Unavailable) else None
    return ApplicationError(
        str(error),
        type=type(error).__name__,
        non_retryable=not error.retryable,
        next_retry_delay=None if wait_s is None else timedelta(seconds=wait_s),
        category=(
            ApplicationErrorCategory.BENIGN if outage else ApplicationErrorCategory.UNSPECIFIED
        ),
    )
