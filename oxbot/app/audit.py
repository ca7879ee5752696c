"""The audit of the books: each bot's, made again from its fills."""

from oxbot.domain.bot import Bot, BotStatus
from oxbot.domain.errors import LedgerBroken
from oxbot.domain.values import Value
from oxbot.ports import Store
from oxbot.records import AuditFigures


class BotAudit(Value):
    """One bot's books: `figures`, or why they cannot be made again at all (`broken`)."""

    bot_id: str
    name: str
    status: BotStatus
    figures: AuditFigures | None
    broken: str | None = None

    @property
    def is_sound(self) -> bool:
        """Whether what is stored is what the fills come to, to the last digit."""
        found = self.figures
        return found is not None and not found.drift and not found.unbalanced


async def audit_ledger(store: Store, bot_id: str | None = None) -> list[BotAudit]:
    """Audit one bot, or all of them, also those that have stopped, oldest first.

    Raises:
        NotFound: There is no such bot.
    """
    bots = [await store.bot(bot_id)] if bot_id else await store.bots()
    return [await _audited(store, bot) for bot in bots]


async def _audited(store: Store, bot: Bot) -> BotAudit:
    figures, broken = None, None
    try:
        figures = await store.audit(bot.id)
    except LedgerBroken as error:
        broken = str(error)
    return BotAudit(
        bot_id=bot.id,
        name=bot.settings.name,
        status=bot.status,
        figures=figures,
        broken=broken,
    )
