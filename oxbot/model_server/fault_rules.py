"""Fault rules: which answer goes wrong, how, and when; validated from JSON."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from oxbot.domain.errors import InputError
from oxbot.domain.values import told

Count = Annotated[int, Field(ge=1, le=10**9)]


class FaultKind(StrEnum):
    """What goes wrong."""

    THROTTLING = "throttling"
    RATE_QUOTA = "rate_quota"
    ALLOCATION_QUOTA = "allocation_quota"
    FREE_QUOTA = "free_quota"
    INTERNAL_ERROR = "internal_error"
    MODEL_UNAVAILABLE = "model_unavailable"
    REQUEST_TIMEOUT = "request_timeout"
    INVALID_KEY = "invalid_key"
    MODEL_NOT_FOUND = "model_not_found"
    INVALID_PARAMETER = "invalid_parameter"
    ARREARAGE = "arrearage"
    BLOCKED = "blocked"

    BAD_GATEWAY = "bad_gateway"
    HTML_200 = "html_200"
    ERROR_200 = "error_200"
    NO_TEXT = "no_text"
    SILENCE = "silence"
    RESET = "reset"
    SLOW = "slow"

    BAD_JSON = "bad_json"
    PROSE = "prose"
    EMPTY = "empty"
    EXTRA_FIELD = "extra_field"
    INVENTED_SYMBOL = "invented_symbol"
    NOT_A_NUMBER = "not_a_number"
    NEGATIVE = "negative"
    WORD = "word"
    CUT = "cut"
    FILTERED = "filtered"


class FaultRule(BaseModel):
    """One fault, and when it strikes: the next `count` questions, by chance, or always.

    `probability` is its chance at each question, drawn by `seed`. `delay_ms` is how long a slow
    answer takes, `retry_after_s` what a throttled one asks for.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: FaultKind
    count: Count | None = None
    probability: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    seed: int = 0
    delay_ms: Annotated[int, Field(ge=1, le=60_000)] | None = None
    retry_after_s: Annotated[int, Field(ge=0, le=100_000)] | None = None

    @model_validator(mode="after")
    def _slow_takes_time(self) -> Self:
        if (self.kind is FaultKind.SLOW) != (self.delay_ms is not None):
            raise ValueError("delay_ms belongs to the kind slow, which cannot do without")
        return self


_RULES: TypeAdapter[list[FaultRule]] = TypeAdapter(list[FaultRule])


def parse_rules(content: object) -> list[FaultRule]:
    """Read one rule, or a list of them.

    Raises:
        InputError: Something that is none.
    """
    try:
        return _RULES.validate_python(content if isinstance(content, list) else [content])
    except ValidationError as error:
        raise InputError(told(error)) from error
