"""What somebody may have who is no administrator: people share one machine and one model key."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from oxbot.domain.bot import BotSettings
from oxbot.domain.errors import Conflict, Forbidden
from oxbot.domain.models import BASELINE, ModelCard, ModelChoice
from oxbot.domain.money import plain
from oxbot.domain.values import Value

NOT_MADE: Final = "No bot was made"
NOT_CHANGED: Final = "Nothing was changed"


class Allowance(Value):
    """How many bots an owner may have that are not archived, how often they decide, for how much.

    `interval_s` is the shortest, in venue time. `budget_usd` is what their models may cost a UTC
    day, all of them together. `cards` and `models` (the default of each provider) tell which
    models cost nothing.
    """

    owner: str
    bots: int
    interval_s: int
    budget_usd: Decimal
    cards: Mapping[str, ModelCard]
    models: Mapping[str, str]

    def must_have_room(self, count: int, refused: str) -> None:
        """Refuse one more bot than so many; `refused` begins the sentence.

        Raises:
            Conflict: There is no room for it.
        """
        if count >= self.bots:
            raise Conflict(
                f"{refused}: you have {count} bots that are not archived, and a user may have "
                f"{self.bots} (OXBOT_USER_BOTS). Archive one that is stopped, or ask an "
                "administrator."
            )

    def must_be_slow_enough(self, settings: BotSettings) -> None:
        """Refuse a bot that would decide too often.

        Raises:
            Forbidden: Only an administrator makes such a one.
        """
        if settings.interval_s < self.interval_s:
            raise Forbidden(
                f"{NOT_MADE}: an interval of {settings.interval_s} s is for administrators; a "
                f"user's is {self.interval_s} s or longer (OXBOT_USER_INTERVAL_S)."
            )

    def must_be_budgeted(self, settings: BotSettings, refused: str) -> None:
        """Refuse a bot that could spend more than all of its owner's together may.

        Raises:
            Forbidden: It asks a model that costs money, and its budget is none or too high.
        """
        dear = self._dear(settings)
        if dear is None or (settings.budget_usd or self.budget_usd + 1) <= self.budget_usd:
            return
        raise Forbidden(
            f"{refused}: {dear.label} costs money, or nobody knows what it costs. A user's bot "
            f"asks it with a budget_usd of at most {plain(self.budget_usd)} USD a day "
            "(OXBOT_USER_BUDGET_USD); the baseline costs nothing."
        )

    def must_leave_enough(
        self, settings: BotSettings, others: Iterable[BotSettings], refused: str
    ) -> None:
        """Refuse a budget that is too much together with those of the owner's other bots.

        Raises:
            Conflict: It is.
        """
        own, given = self._spends(settings), sum(map(self._spends, others), Decimal(0))
        if own and own + given > self.budget_usd:
            raise Conflict(
                f"{refused}: your other bots may spend {plain(given)} USD a day and this one "
                f"{plain(own)}, which is more than the {plain(self.budget_usd)} USD that a user's "
                "bots may spend together (OXBOT_USER_BUDGET_USD)."
            )

    def _spends(self, settings: BotSettings) -> Decimal:
        """Give what a bot may spend a day, in USD."""
        return (settings.budget_usd or Decimal(0)) if self._dear(settings) else Decimal(0)

    def _dear(self, settings: BotSettings) -> ModelChoice | None:
        """Give the first model that may cost something; None where none does."""
        return next((choice for choice in settings.choices if self._costs(choice)), None)

    def _costs(self, choice: ModelChoice) -> bool:
        """Whether a model costs money, or nobody knows."""
        if choice.provider == BASELINE:
            return False
        card = self.cards.get(choice.model or self.models.get(choice.provider, ""))
        return card is None or card.input_usd > 0 or card.output_usd > 0


class Asked(Value):
    """How a bot was asked for: `digest` of a request that has a key, and who is held to what.

    `allowance` is None for administrators and for whoever has the machine.
    """

    digest: str | None = None
    allowance: Allowance | None = None


PLAINLY: Final = Asked()
