"""What DashScope's SDK raises or leaves unsaid, as a `Failure`: the one place that knows both."""

from typing import Final

import httpx
from dashscope.v2 import errors
from dashscope.v2.types.completions import ChatCompletion

from oxbot.adapters.models.failures import Failure
from oxbot.domain.models import Usage

RAISED: Final = (
    errors.DashScopeError,
    httpx.HTTPError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
)
"""What a call may raise: the SDK's own errors, and those of reading an answer that is none."""

HELD_BACK: Final = "content_filter"


def failure_of(error: Exception) -> Failure:
    """Give the failure behind what a call raised."""
    if isinstance(error, errors.APITimeoutError):
        return Failure(None, "", "no answer in time")
    if isinstance(error, errors.APIConnectionError):
        return Failure(None, "", f"no connection: {error.message}")
    if isinstance(error, errors.DashScopeError):
        headers = {name.lower(): value for name, value in error.headers.items()}
        retry_after = headers.get("retry-after", "")
        return Failure(error.status_code, error.code or "", error.message, retry_after)
    return Failure(None, "", f"an answer that cannot be read: {type(error).__name__}")


def checked(answer: object) -> ChatCompletion | Failure:
    """Give an answer that came with status 200, or the failure that it is."""
    if not isinstance(answer, ChatCompletion):
        return Failure(200, "", "something else than an answer")
    if not answer.choices:
        return Failure(200, "", "an answer without a text")
    if answer.choices[0].finish_reason == HELD_BACK:
        told = "the answer was cut by content inspection"
        return Failure(200, HELD_BACK, told, usage=_usage(answer))
    return answer


def _usage(answer: ChatCompletion) -> Usage:
    """Read what is billed of an answer that was held back."""
    billed = answer.usage
    if billed is None:
        return Usage()
    return Usage(tokens_in=billed.input_tokens, tokens_out=billed.output_tokens)
