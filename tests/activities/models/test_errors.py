"""Each row of the providers' failures, through both real SDKs, as the project's errors."""

import logging
import traceback

import pytest

from oxbot.adapters.models.failures import Failure, Verdict, verdict_on
from oxbot.domain.errors import (
    ContentRefused,
    ModelRateLimited,
    ModelRefused,
    ModelUnavailable,
    OxbotError,
    RefusalCause,
)
from oxbot.domain.models import ModelChoice
from oxbot.model_server.fault_rules import FaultKind, FaultRule
from oxbot.model_server.faults import Faults
from oxbot.ports import ChatModel
from tests.activities.models.asking import KEY, question
from tests.activities.models.conftest import MakeModel
from tests.support.ports import free_port

pytestmark = pytest.mark.critical


async def failed(model: ChatModel, choice: ModelChoice | None = None) -> OxbotError:
    with pytest.raises(OxbotError) as caught:
        await model.complete(question(choice))
    return caught.value


@pytest.mark.parametrize(
    "kind",
    [
        FaultKind.INTERNAL_ERROR,
        FaultKind.MODEL_UNAVAILABLE,
        FaultKind.REQUEST_TIMEOUT,
        FaultKind.BAD_GATEWAY,
        FaultKind.HTML_200,
        FaultKind.ERROR_200,
        FaultKind.NO_TEXT,
        FaultKind.RESET,
    ],
)
async def test_an_outage_is_tried_again(model: ChatModel, faults: Faults, kind: FaultKind) -> None:
    faults.add([FaultRule(kind=kind, count=1)])
    error = await failed(model)
    assert type(error) is ModelUnavailable
    assert error.retryable
    assert error.retry_after_s is None
    assert "<" not in str(error)
    assert (await model.complete(question())).text
    assert faults.asked == 2


@pytest.mark.parametrize(
    "kind", [FaultKind.THROTTLING, FaultKind.RATE_QUOTA, FaultKind.ALLOCATION_QUOTA]
)
@pytest.mark.parametrize(("said_s", "wait_s"), [(None, 60), (7, 7), (0, 1), (99_999, 3600)])
async def test_a_throttled_request_waits_as_long_as_is_said_or_a_minute(
    model: ChatModel, faults: Faults, kind: FaultKind, said_s: int | None, wait_s: int
) -> None:
    faults.add([FaultRule(kind=kind, retry_after_s=said_s)])
    error = await failed(model)
    assert isinstance(error, ModelRateLimited)
    assert (error.retryable, error.retry_after_s) == (True, wait_s)


@pytest.mark.parametrize(
    ("kind", "cause", "advice"),
    [
        (FaultKind.INVALID_KEY, RefusalCause.KEY, "_API_KEY"),
        (FaultKind.FREE_QUOTA, RefusalCause.ACCOUNT, "Settle it with the provider"),
        (FaultKind.ARREARAGE, RefusalCause.ACCOUNT, "Settle it with the provider"),
        (FaultKind.MODEL_NOT_FOUND, RefusalCause.MODEL, "_MODEL"),
        (FaultKind.INVALID_PARAMETER, RefusalCause.REQUEST, "OXBOT_MODEL_CARDS"),
    ],
)
async def test_a_refusal_is_final_and_says_what_to_do(
    model: ChatModel, faults: Faults, kind: FaultKind, cause: RefusalCause, advice: str
) -> None:
    faults.add([FaultRule(kind=kind)])
    error = await failed(model)
    assert isinstance(error, ModelRefused)
    assert (error.cause, error.retryable) == (cause, False)
    assert "protection goes on" in str(error)
    assert advice in str(error)


@pytest.mark.parametrize("kind", [FaultKind.BLOCKED, FaultKind.FILTERED])
async def test_held_back_content_is_final(
    model: ChatModel, faults: Faults, kind: FaultKind
) -> None:
    faults.add([FaultRule(kind=kind)])
    error = await failed(model)
    assert isinstance(error, ContentRefused)
    assert not error.retryable
    assert "The cycle holds" in str(error)


async def test_a_provider_that_is_silent_is_given_up_in_time(
    make: MakeModel, faults: Faults
) -> None:
    faults.add([FaultRule(kind=FaultKind.SILENCE)])
    error = await failed(await make(answer_s=0.1))
    assert type(error) is ModelUnavailable
    assert "no answer in time" in str(error)
    assert faults.asked == 1


async def test_an_address_where_nobody_listens_is_an_outage(make: MakeModel) -> None:
    error = await failed(await make(at=f"http://127.0.0.1:{free_port()}"))
    assert type(error) is ModelUnavailable
    assert "no connection" in str(error)


async def test_a_key_is_never_shown(
    make: MakeModel, faults: Faults, caplog: pytest.LogCaptureFixture
) -> None:
    """The server quotes the key in its refusal, as some providers do."""
    key = f"refused-{KEY}"
    model = await make(key=key)
    with caplog.at_level(logging.DEBUG):
        error = await failed(model)
    assert isinstance(error, ModelRefused)
    assert error.cause is RefusalCause.KEY
    assert "********" in str(error)
    told = "".join(traceback.format_exception(error)) + caplog.text + repr(error)
    assert KEY not in told


async def test_a_form_that_a_model_cannot_do_is_refused_for_the_request(model: ChatModel) -> None:
    error = await failed(model, ModelChoice(model="qwen-max", json_schema=True))
    assert isinstance(error, ModelRefused)
    assert error.cause is RefusalCause.REQUEST
    assert "does not support response_format json_schema" in str(error)


@pytest.mark.parametrize(
    ("failure", "verdict"),
    [
        (Failure(403, "AllocationQuota.FreeTierOnly", ""), Verdict.ACCOUNT),
        (Failure(402, "", "Insufficient Balance"), Verdict.ACCOUNT),
        (Failure(429, "insufficient_quota", ""), Verdict.ACCOUNT),
        (Failure(400, "Model.NotExist", ""), Verdict.MODEL),
        (Failure(403, "", "not for you"), Verdict.KEY),
        (Failure(400, "data_inspection_failed", ""), Verdict.CONTENT),
        (Failure(200, "InvalidApiKey", ""), Verdict.KEY),
        (Failure(200, "Something.New", ""), Verdict.AWAY),
        (Failure(599, "Something.New", ""), Verdict.AWAY),
        (Failure(418, "Something.New", ""), Verdict.REQUEST),
        (Failure(None, "", ""), Verdict.AWAY),
    ],
)
def test_a_failure_is_judged_by_its_code_then_by_its_status(
    failure: Failure, verdict: Verdict
) -> None:
    assert verdict_on(failure) is verdict
