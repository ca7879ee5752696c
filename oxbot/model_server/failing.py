"""What providers say when they refuse or fail: one row each, in the words of both protocols."""

from typing import Final, NamedTuple

from oxbot.model_server.fault_rules import FaultKind


class Failing(NamedTuple):
    """A failure as it goes over the wire; codes of DashScope and of OpenAI."""

    status: int
    dashscope: str
    openai: str
    message: str


FAILING: Final = {
    FaultKind.THROTTLING: Failing(
        429, "Throttling", "rate_limit_exceeded", "Requests throttling triggered."
    ),
    FaultKind.RATE_QUOTA: Failing(
        429, "Throttling.RateQuota", "rate_limit_exceeded", "Requests rate limit exceeded."
    ),
    FaultKind.ALLOCATION_QUOTA: Failing(
        429, "Throttling.AllocationQuota", "rate_limit_exceeded", "Allocated quota exceeded."
    ),
    FaultKind.FREE_QUOTA: Failing(
        429, "Throttling.AllocationQuota", "insufficient_quota", "Free allocated quota exceeded."
    ),
    FaultKind.INTERNAL_ERROR: Failing(500, "InternalError", "server_error", "An internal error."),
    FaultKind.MODEL_UNAVAILABLE: Failing(
        503, "ModelUnavailable", "service_unavailable", "The model is unavailable, try later."
    ),
    FaultKind.REQUEST_TIMEOUT: Failing(
        504, "RequestTimeOut", "request_timeout", "The request timed out."
    ),
    FaultKind.INVALID_KEY: Failing(
        401, "InvalidApiKey", "invalid_api_key", "Invalid API-key provided: {key}."
    ),
    FaultKind.MODEL_NOT_FOUND: Failing(
        404, "ModelNotFound", "model_not_found", "The model {model} does not exist."
    ),
    FaultKind.INVALID_PARAMETER: Failing(
        400, "InvalidParameter", "invalid_parameter", "A parameter is not valid."
    ),
    FaultKind.ARREARAGE: Failing(
        400, "Arrearage", "Arrearage", "Access denied, the account is in arrears."
    ),
    FaultKind.BLOCKED: Failing(
        400, "DataInspectionFailed", "content_filter", "Input data may contain improper content."
    ),
}

PAGE: Final = (
    "<!DOCTYPE html><html><head><title>502</title></head>"
    "<body><h1>502 Bad Gateway</h1></body></html>"
)
