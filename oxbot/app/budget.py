"""What models may cost a day: once it is spent, none is asked, and protection goes on.

A day is one of UTC by wall time, since that is what providers bill. The limit is looked at before
a question, so that bots which ask at the same moment may each pass it by one question.
"""

import time
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from oxbot.app.ports import Ports
from oxbot.domain.bot import Bot
from oxbot.domain.models import BASELINE, ModelChoice
from oxbot.domain.money import plain

DAY_MS: Final = 86_400_000


class Askable(NamedTuple):
    """Which models may be asked now; if none may, `because` says why.

    `left_out` says which were left out, and why.
    """

    choices: Sequence[ModelChoice]
    because: str = ""
    left_out: str = ""


async def askable(ports: Ports, bot: Bot) -> Askable:
    """Give the models that a bot may ask today.

    Where a budget is set, a model whose price nobody knows is left out: nobody could say when it
    is spent. The baseline costs nothing and may always be asked, but takes no other model's place.
    """
    settings = bot.settings
    if settings.provider == BASELINE or (settings.budget_usd or ports.budget_usd) is None:
        return Askable(settings.choices)
    own, total = await ports.store.model_cost(bot.id, day_began_ms())
    for budget, spent, whose in (
        (settings.budget_usd, own, f"bot {bot.id}"),
        (ports.budget_usd, total, "all bots together"),
    ):
        if budget is not None and spent >= budget:
            return Askable((), _spent(budget, spent, whose))
    priced = [choice for choice in settings.choices if _is_priced(ports, choice)]
    if not priced:
        return Askable((), _unpriced(settings.choices))
    unpriced = [choice for choice in settings.choices if choice not in priced]
    return Askable(priced, left_out=_unpriced(unpriced) if unpriced else "")


def day_began_ms() -> int:
    """Give when the UTC day of wall time began, in ms."""
    return time.time_ns() // 10**6 // DAY_MS * DAY_MS


def _is_priced(ports: Ports, choice: ModelChoice) -> bool:
    """Whether a price is known; a provider that is not set up says so itself."""
    model = ports.models.get(choice.provider)
    return model is None or model.is_priced(choice)


def _spent(budget: Decimal, spent: Decimal, whose: str) -> str:
    return (
        f"The model budget of {plain(budget)} USD a day for {whose} is spent ({plain(spent)} USD). "
        "No model is asked until 00:00 UTC; the bot holds and its protection goes on."
    )


def _unpriced(choices: Sequence[ModelChoice]) -> str:
    named = ", ".join(choice.label for choice in choices)
    return (
        f"A budget is set, and nobody knows what {named} costs, so it is not asked. Say the price "
        "with OXBOT_MODEL_CARDS, or take the budget away."
    )
