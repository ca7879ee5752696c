"""What the adapters of all providers share: which model, which form, which price."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from pydantic import SecretStr

from oxbot.adapters.models.schema import strict_schema
from oxbot.domain.decision import Decision
from oxbot.domain.models import ModelCard, ModelChoice, Usage
from oxbot.records import ModelReply

ANSWER_S: Final = 25
"""Seconds that a provider has until it sends something; less than an attempt of the step has."""

UNKNOWN: Final = ModelCard(input_usd=Decimal(0), output_usd=Decimal(0))
"""Stands in for the card of a model that has none: what it costs is not known."""

JSON_OBJECT: Final[dict[str, Any]] = {"type": "json_object"}  # Any: JSON, as the SDKs take it


@dataclass(frozen=True)
class Setup:
    """One provider as it is set up.

    Args:
        provider: Its name.
        address: Where it answers.
        default_model: The model of a choice that names none.
        cards: What is known of models, by name.
        key: Of the account; hidden wherever something is told.
        unknown: What is assumed of others.
    """

    provider: str
    address: str
    default_model: str
    cards: Mapping[str, ModelCard]
    key: SecretStr | None = None
    unknown: ModelCard = UNKNOWN

    def model(self, choice: ModelChoice) -> str:
        """Give the name of the model that is asked."""
        return choice.model or self.default_model

    def card(self, choice: ModelChoice) -> ModelCard:
        """Give what is known of that model, or assumed."""
        return self.cards.get(self.model(choice), self.unknown)

    def is_priced(self, choice: ModelChoice) -> bool:
        """Whether it is known what that model costs."""
        return self.model(choice) in self.cards

    def label(self, choice: ModelChoice) -> str:
        """Name the model to people; a price that nobody knows is part of it."""
        priced = "" if self.is_priced(choice) else " (price unknown)"
        return f"{self.provider} {self.model(choice)}{priced}"

    def response_format(self, choice: ModelChoice) -> dict[str, Any] | None:  # Any: JSON
        """Give the form that the answer is held to: a schema, JSON, or none."""
        card = self.card(choice)
        if _either(choice.json_schema, card.json_schema):
            schema = {"name": "decision", "strict": True, "schema": strict_schema(Decision)}
            return {"type": "json_schema", "json_schema": schema}
        return JSON_OBJECT if _either(choice.json_object, card.json_object) else None

    def priced(self, choice: ModelChoice, reply: ModelReply) -> ModelReply:
        """Add what a reply cost."""
        usage = Usage(
            tokens_in=reply.tokens_in,
            tokens_out=reply.tokens_out,
            tokens_cached=reply.tokens_cached,
        )
        cost = self.card(choice).cost_usd(usage)
        return reply.model_copy(update={"cost_usd": cost, "priced": self.is_priced(choice)})


def _either(chosen: bool | None, known: bool) -> bool:  # noqa: FBT001 - two answers to one question
    return known if chosen is None else chosen
