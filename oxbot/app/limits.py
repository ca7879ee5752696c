"""Limits changed while a bot runs: asked for at the desk, put on record by the bot itself."""

from oxbot.app.bots import Desk
from oxbot.app.ports import Ports
from oxbot.domain.bot import BotStatus, RiskLimits
from oxbot.domain.errors import Conflict
from oxbot.domain.limits import limits_after
from oxbot.messages import ChangeLimits, LimitsAnswer, WriteLimits


async def change_limits(ports: Ports, request: WriteLimits) -> RiskLimits:
    """Put changed limits on record under the raised epoch; repeating it changes nothing.

    Raises:
        InputError: The limits cannot be; nothing is stored.
        StoreUnavailable: PostgreSQL does not answer.
    """
    return await ports.store.change_limits(request)


async def ask_for_limits(desk: Desk, bot_id: str, change: ChangeLimits) -> LimitsAnswer:
    """Have a running bot change its limits; it decides by them from its next step on.

    Raises:
        InputError: The limits cannot be; nothing changed.
        Conflict: The bot is stopped.
        NotFound: There is no such bot, or it has no running workflow.
    """
    bot = await desk.store.bot(bot_id)
    if bot.status is BotStatus.STOPPED:
        raise Conflict(f"Bot {bot_id} is stopped; its limits do not matter any more.")
    limits_after(bot.settings.limits, change.limits, mode=bot.settings.mode)
    return await desk.control.change_limits(bot_id, change)
