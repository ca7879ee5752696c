"""The base of all immutable values."""

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """An immutable value that refuses unknown fields, NaN and infinity.

    Its Decimals travel as strings and come back exact.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
