"""What a provider says instead of an answer, as the project's errors: one table for all.

Each SDK's own module (`dashscope_errors`, `openai_errors`) makes a `Failure` of whatever it
raises or leaves unsaid. A failure is judged by its code where that is known, else by its HTTP
status. What comes of it::

    ModelUnavailable    retry later: no answer, an outage, or an answer that is none
    ModelRateLimited    retry after a delay: the answer's Retry-After, or about a minute
    ModelRefused        final: the key, the account, the model or the request
    ContentRefused      final: the prompt or the answer was held back
"""

import re
from enum import StrEnum
from typing import Final, NamedTuple

from oxbot.adapters.models.setup import Setup
from oxbot.domain.errors import (
    ContentRefused,
    ModelRateLimited,
    ModelRefused,
    ModelUnavailable,
    OxbotError,
    RefusalCause,
)
from oxbot.domain.models import DASHSCOPE, ModelChoice, Usage
from oxbot.domain.values import storable

RECOVERS_S: Final = 60
"""DashScope counts requests and tokens by the minute, so that is the wait."""

LONGEST_WAIT_S: Final = 3600
LONGEST_EXCERPT: Final = 200
HIDDEN: Final = "********"

_TAG: Final = re.compile(r"<[^>]*>")

FREE_QUOTA_SPENT: Final = "free allocated quota exceeded"
"""A throttling that does not pass."""


class Verdict(StrEnum):
    """What a failure means."""

    AWAY = "away"
    WAIT = "wait"
    CONTENT = "content"
    KEY = "key"
    ACCOUNT = "account"
    MODEL = "model"
    REQUEST = "request"


class Failure(NamedTuple):
    """What a provider said instead of an answer; `status` None: nothing came over HTTP.

    `usage`: tokens that are billed all the same.
    """

    status: int | None
    code: str
    message: str
    retry_after: str = ""
    usage: Usage = Usage()


BY_CODE: Final = {
    "internalerror": Verdict.AWAY,
    "modelunavailable": Verdict.AWAY,
    "modelservicefailed": Verdict.AWAY,
    "requesttimeout": Verdict.AWAY,
    "serviceunavailable": Verdict.AWAY,
    "servererror": Verdict.AWAY,
    "ratelimitexceeded": Verdict.WAIT,
    "limitrequests": Verdict.WAIT,
    "arrearage": Verdict.ACCOUNT,
    "accessdeniedunpurchased": Verdict.ACCOUNT,
    "allocationquotafreetieronly": Verdict.ACCOUNT,
    "insufficientquota": Verdict.ACCOUNT,
    "invalidapikey": Verdict.KEY,
    "modelnotfound": Verdict.MODEL,
    "modelnotexist": Verdict.MODEL,
    "invalidparameter": Verdict.REQUEST,
    "datainspectionfailed": Verdict.CONTENT,
    "contentfilter": Verdict.CONTENT,
    "contentpolicyviolation": Verdict.CONTENT,
}
"""Codes of DashScope and of OpenAI-compatible services, in small letters and nothing else."""

BY_STATUS: Final = {
    401: Verdict.KEY,
    402: Verdict.ACCOUNT,
    403: Verdict.KEY,
    404: Verdict.MODEL,
    408: Verdict.AWAY,
    409: Verdict.AWAY,
    429: Verdict.WAIT,
}


def verdict_on(failure: Failure) -> Verdict:
    """Judge a failure by its code, else by its status; what is neither may pass."""
    if FREE_QUOTA_SPENT in failure.message.lower():
        return Verdict.ACCOUNT
    code = re.sub(r"[^a-z]", "", failure.code.lower())
    if code.startswith("throttling"):
        return Verdict.WAIT
    if code in BY_CODE:
        return BY_CODE[code]
    status = failure.status or 0
    refused = 400 <= status < 500  # noqa: PLR2004 - HTTP's statuses of refusal
    return BY_STATUS.get(status, Verdict.REQUEST if refused else Verdict.AWAY)


def error_of(failure: Failure, setup: Setup, choice: ModelChoice) -> OxbotError:
    """Give the error of a failure, in sentences for people and without the key."""
    verdict, said = verdict_on(failure), _said(failure, setup)
    name, model = setup.provider, setup.model(choice)
    if verdict is Verdict.AWAY:
        return ModelUnavailable(f"{name} gave no answer of {model} ({said}); it is asked again.")
    if verdict is Verdict.WAIT:
        wait_s = _wait_s(failure.retry_after)
        return ModelRateLimited(f"{name} asks to wait {wait_s} s ({said}).", wait_s)
    if verdict is Verdict.CONTENT:
        return ContentRefused(
            f"{name} held back this prompt or the answer of {model} for its content ({said}). "
            "The cycle holds; the next one asks with a new prompt.",
            (failure.usage.tokens_in, failure.usage.tokens_out),
            setup.card(choice).cost_usd(failure.usage),
            priced=setup.is_priced(choice),
        )
    told = _REFUSED[verdict].format(name=name, model=model, address=setup.address, said=said)
    advice = _advice(verdict, setup)
    return ModelRefused(
        f"{told} The bot holds and its protection goes on. {advice}", RefusalCause(verdict.value)
    )


_REFUSED: Final = {
    Verdict.KEY: "{name} does not take this API key for {model} ({said}).",
    Verdict.ACCOUNT: "{name} does not serve this account any more: it owes, or its quota is used "
    "up ({said}).",
    Verdict.MODEL: "{name} has no model {model} for this account ({said}).",
    Verdict.REQUEST: "{name} does not take the request for {model} ({said}).",
}


def _advice(verdict: Verdict, setup: Setup) -> str:
    """Say what to do about a refusal."""
    dashscope = setup.provider == DASHSCOPE
    key, url, model = (
        ("DASHSCOPE_API_KEY", "OXBOT_DASHSCOPE_URL", "OXBOT_DASHSCOPE_MODEL")
        if dashscope
        else ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OXBOT_OPENAI_MODEL")
    )
    return {
        Verdict.KEY: f"Check {key}, and that {url} ({_host(setup)}) is where that key belongs.",
        Verdict.ACCOUNT: "Settle it with the provider; each cycle asks again.",
        Verdict.MODEL: f"Name another in {model} or in the bot's settings, or check {url} "
        f"({_host(setup)}).",
        Verdict.REQUEST: "If the model cannot do what its card says, set it right with "
        "OXBOT_MODEL_CARDS.",
    }[verdict]


def _host(setup: Setup) -> str:
    """Name where a provider answers, without what else an address may hold."""
    return setup.address.partition("://")[2].rpartition("@")[2].partition("/")[0]


def _said(failure: Failure, setup: Setup) -> str:
    """Give what was said, on one line, short, storable, and without the key."""
    text = " ".join(_TAG.sub(" ", failure.message).split())
    parts = [f"HTTP {failure.status}" if failure.status else "", failure.code, text]
    told = storable(": ".join(part for part in parts if part))
    secret = setup.key.get_secret_value() if setup.key else ""
    if secret:
        told = told.replace(secret, HIDDEN)
    return told[:LONGEST_EXCERPT].rstrip(". ")


def _wait_s(retry_after: str) -> int:
    """Read Retry-After in seconds, at most an hour; about a minute where nothing is said."""
    if retry_after.isdecimal():
        return min(LONGEST_WAIT_S, max(1, int(retry_after)))
    return RECOVERS_S
