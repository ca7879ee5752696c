"""What the openai SDK raises or leaves unsaid, as a `Failure`: the one place that knows both."""

from collections.abc import Mapping
from typing import Final

import openai
from openai.types.chat import ChatCompletion

from oxbot.adapters.models.failures import Failure
from oxbot.domain.models import Usage

RAISED: Final = (openai.OpenAIError, ValueError, TypeError, KeyError, AttributeError)
"""What a call may raise: the SDK's own errors, and those of reading an answer that is none."""

HELD_BACK: Final = "content_filter"


def failure_of(error: Exception) -> Failure:
    """Give the failure behind what a call raised."""
    if isinstance(error, openai.APITimeoutError):
        return Failure(None, "", "no answer in time")
    if isinstance(error, openai.APIConnectionError):
        return Failure(None, "", f"no connection: {error.message}")
    if isinstance(error, openai.APIStatusError):
        retry_after = error.response.headers.get("retry-after", "")
        code, message = str(error.code or error.type or ""), _message(error.body) or error.message
        return Failure(error.status_code, code, message, retry_after)
    return Failure(None, "", f"an answer that cannot be read: {type(error).__name__}")


def checked(answer: object) -> ChatCompletion | Failure:
    """Give an answer that came with status 200, or the failure that it is."""
    if not isinstance(answer, ChatCompletion):
        return Failure(200, "", "an answer that is no JSON")
    if not answer.choices:
        return _stated(answer.model_extra or {})
    first = answer.choices[0]
    if first.finish_reason == HELD_BACK:
        told = "the answer was cut by content inspection"
        return Failure(200, HELD_BACK, told, usage=_usage(answer))
    if first.message.refusal:
        return Failure(200, HELD_BACK, first.message.refusal, usage=_usage(answer))
    return answer


def _usage(answer: ChatCompletion) -> Usage:
    """Read what is billed of an answer that was held back."""
    billed = answer.usage
    if billed is None:
        return Usage()
    return Usage(tokens_in=billed.prompt_tokens, tokens_out=billed.completion_tokens)


def _stated(extra: Mapping[str, object]) -> Failure:
    """Read the error inside a 200, where there is one."""
    error = extra.get("error")
    if not isinstance(error, dict):
        return Failure(200, "", "an answer without a text")
    code = error.get("code") or error.get("type") or ""
    return Failure(200, str(code), str(error.get("message") or "an error inside a 200"))


def _message(body: object) -> str:
    message = body.get("message") if isinstance(body, dict) else None
    return message if isinstance(message, str) else ""
