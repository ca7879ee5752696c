"""What a user may have, by the settings of this system."""

from oxbot.domain.allowance import Allowance
from oxbot.domain.models import DASHSCOPE, OPENAI
from oxbot.domain.users import User
from oxbot.settings import Settings


def allowance_of(user: User, settings: Settings) -> Allowance | None:
    """Give what a user is held to; None: an administrator is held to nothing."""
    if user.is_admin:
        return None
    return Allowance(
        owner=user.id,
        bots=settings.user_bots,
        interval_s=settings.user_interval_s,
        budget_usd=settings.user_budget_usd,
        cards=settings.known_cards,
        models={DASHSCOPE: settings.dashscope_model, OPENAI: settings.openai_model},
    )
