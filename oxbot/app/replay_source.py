"""Where replayed cycles get answers from that are not on record, within a budget."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from oxbot.app.kept import KeptModel
from oxbot.domain.errors import InputError
from oxbot.domain.models import ModelChoice, check_provider
from oxbot.domain.money import plain
from oxbot.ports import ChatModel
from oxbot.records import ModelReply, ModelRequest, Spent


class BudgetSpent(Exception):  # noqa: N818 - not an error: the rest is left for another time
    """No model is asked any more."""


@dataclass(frozen=True)
class Source:
    """Where answers come from that are not on record.

    Args:
        models: By provider.
        budget_usd: What asking may cost; it is looked at before each question, so that those
            asked at the same time may each pass it by one.
    """

    models: Mapping[str, ChatModel]
    budget_usd: Decimal = Decimal(1)

    def __post_init__(self) -> None:
        for model in self._kept:
            model.before = self._must_be_allowed

    def _must_be_allowed(self, choice: ModelChoice) -> None:
        """Refuse a question for which there is no money, or whose price nobody knows.

        Raises:
            BudgetSpent: The budget is spent.
            InputError: Nobody knows the price, so no budget could be kept.
        """
        if not self.models[choice.provider].is_priced(choice):
            raise InputError(
                f"Nobody knows what {choice.label} costs, so no budget can be kept. Say its price "
                "with OXBOT_MODEL_CARDS."
            )
        if self.spent.cost_usd >= self.budget_usd:
            raise BudgetSpent(
                f"The budget of {plain(self.budget_usd)} USD for this replay is spent. Give it "
                "more with --budget; the answers so far are kept."
            )

    @property
    def _kept(self) -> list[KeptModel]:
        return [model for model in self.models.values() if isinstance(model, KeptModel)]

    @property
    def asked(self) -> int:
        """How often a provider was asked; replies that were kept and the baseline cost nothing."""
        return sum(model.asked for model in self._kept)

    @property
    def spent(self) -> Spent:
        """What that cost."""
        return Spent.on([model.spent for model in self._kept])

    def label(self, choice: ModelChoice) -> str:
        """How a model is named to people."""
        model = self.models.get(choice.provider)
        return model.label(choice) if model else choice.label

    def named(self, choice: ModelChoice) -> ModelChoice:
        """Give the choice with its model's name."""
        model = self.models.get(choice.provider)
        return model.named(choice) if model else choice

    async def answer(self, request: ModelRequest) -> ModelReply:
        """Have the model that the request chooses answer.

        Raises:
            InputError: Its provider is not set up here.
            As the model does.
        """
        check_provider(request.choice.provider, self.models)
        return await self.models[request.choice.provider].complete(request)
