"""The base of all immutable values, and what is said of one that cannot be."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

_NOT_STORABLE: Final = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """Give a text as PostgreSQL can keep it: NUL and each half of a pair become U+FFFD."""
    return _NOT_STORABLE.sub("\ufffd", text)


def _made_storable(value: object) -> object:
    return storable(value) if isinstance(value, str) else value


Storable = Annotated[str, BeforeValidator(_made_storable)]
"""A text from outside: what cannot be kept in it is replaced by U+FFFD, never refused."""


class Value(BaseModel):
    """An immutable value that refuses unknown fields, NaN and infinity.

    Its Decimals travel as strings and come back exact.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def as_given(field: str, value: object) -> tuple[str, str]:
    """Show a field under its own name, with its value if that is short."""
    return field, str(value) if isinstance(value, str | int | Decimal) else ""


def told(error: ValidationError, shown: Callable[[str, object], tuple[str, str]] = as_given) -> str:
    """Put a sentence for each field that is wrong.

    Args:
        error: What pydantic found.
        shown: Gives a field's name and its value as they may be shown; an empty value is not.
    """
    found = error.errors(include_url=False, include_context=False)
    return "\n".join(_sentence(e, shown) for e in found)


def _sentence(wrong: ErrorDetails, shown: Callable[[str, object], tuple[str, str]]) -> str:
    field = ".".join(str(part) for part in wrong["loc"])
    reason = wrong["msg"].removeprefix("Value error, ")
    if field in ("", "limits"):
        return f"The settings contradict each other: {reason}."
    name, value = shown(field, wrong["input"])
    return f"{name}: {reason}" + (f" (given: {value})." if value else ".")
