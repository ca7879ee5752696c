"""Language models: which one a bot asks, what each can do, and what it costs."""

from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from oxbot.domain.errors import InputError
from oxbot.domain.values import Value

BASELINE: Final = "baseline"
DASHSCOPE: Final = "dashscope"
OPENAI: Final = "openai"

Provider = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,30}$")]
ModelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:/@-]{0,100}$")]
Temperature = Annotated[Decimal, Field(ge=0, le=2)]
USD = Annotated[Decimal, Field(ge=0, le=10_000)]

MILLION: Final = 1_000_000

SET_UP_BY: Final = {
    DASHSCOPE: "set DASHSCOPE_API_KEY",
    OPENAI: "set OPENAI_API_KEY, or OPENAI_BASE_URL alone for a service that needs no key",
}
"""What a provider needs before it can be asked."""


class ModelChoice(Value):
    """Which model is asked, and how.

    An empty `model` is the provider's default. `json_object` and `json_schema` say whether the
    model can be held to JSON, and to JSON of a schema; None: as its card says.
    """

    provider: Provider = BASELINE
    model: ModelName = ""
    temperature: Temperature = Decimal(0)
    json_object: bool | None = None
    json_schema: bool | None = None

    @property
    def label(self) -> str:
        """How the choice is named to people: dashscope qwen-max."""
        return f"{self.provider} {self.model}".strip()


class Usage(Value):
    """Tokens of one request; `tokens_cached` are those of `tokens_in` that were remembered."""

    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0


class ModelCard(Value):
    """What is known of a model; prices in USD per million tokens.

    `cached_share` is the part of the input price that remembered tokens cost. `temperature`:
    whether the model takes one. `enable_thinking` is sent as it is, and not at all when None.
    `cutoff` is the day at which the model's knowledge ends, where its maker states one.
    """

    input_usd: USD
    output_usd: USD
    cached_share: Annotated[Decimal, Field(ge=0, le=1)] = Decimal("0.2")
    json_object: bool = True
    json_schema: bool = False
    temperature: bool = True
    enable_thinking: bool | None = None
    cutoff: date | None = None

    def cost_usd(self, usage: Usage) -> Decimal:
        """Give what a request cost in USD."""
        remembered = min(usage.tokens_cached, usage.tokens_in)
        paid_in = usage.tokens_in - remembered + remembered * self.cached_share
        return (paid_in * self.input_usd + usage.tokens_out * self.output_usd) / MILLION


def _qwen(input_usd: str, output_usd: str, *, json_schema: bool = False) -> ModelCard:
    """Describe a Qwen model: without thinking, since that does not go with JSON."""
    return ModelCard(
        input_usd=Decimal(input_usd),
        output_usd=Decimal(output_usd),
        json_schema=json_schema,
        enable_thinking=False,
    )


CARDS: Final[Mapping[str, ModelCard]] = {
    "qwen-max": _qwen("1.6", "6.4"),
    "qwen3-max": _qwen("1.2", "6", json_schema=True),
    "qwen-plus": _qwen("0.4", "1.2", json_schema=True),
    "qwen3.8-max": _qwen("2", "6"),
    "qwen3.8-flash": _qwen("0.15", "0.47"),
    "gpt-4.1-mini": ModelCard(
        input_usd=Decimal("0.4"),
        output_usd=Decimal("1.6"),
        cached_share=Decimal("0.25"),
        json_schema=True,
        cutoff=date(2024, 6, 1),
    ),
    "gpt-5-mini": ModelCard(
        input_usd=Decimal("0.25"),
        output_usd=Decimal(2),
        cached_share=Decimal("0.1"),
        json_schema=True,
        temperature=False,
        cutoff=date(2024, 5, 31),
    ),
}
"""Models by name. Prices of 2026 from third parties' tables: they change, and OXBOT_MODEL_CARDS
puts others in their place."""


def check_provider(provider: str, usable: Collection[str]) -> None:
    """Refuse a provider that cannot be asked.

    Raises:
        InputError: Nobody knows it, or what it needs is not set.
    """
    if provider in usable:
        return
    if provider in SET_UP_BY:
        raise InputError(
            f"The model provider {provider!r} is not set up: {SET_UP_BY[provider]} in the "
            "environment or .env of 0xBot's processes, and start them again."
        )
    known = ", ".join(sorted({*usable, *SET_UP_BY}))
    raise InputError(f"There is no model provider {provider!r}; there are: {known}.")
