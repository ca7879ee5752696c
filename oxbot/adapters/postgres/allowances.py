"""Owners held to what they may have, in the transaction that would exceed it, one at a time."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres import locks
from oxbot.adapters.postgres.schema import bots
from oxbot.domain.allowance import Allowance
from oxbot.domain.bot import BotSettings, BotStatus

_owner = bots.c.settings["owner"].astext


async def hold(connection: AsyncConnection, allowance: Allowance | None) -> None:
    """Wait for others who make or change bots of the same owner; before any bot's row is locked."""
    if allowance is not None:
        await locks.hold_of(connection, locks.BOTS_OF_ONE, allowance.owner)


async def must_have_room(
    connection: AsyncConnection, allowance: Allowance | None, refused: str
) -> None:
    """Refuse one bot more than there may be; the owner is held.

    Raises:
        Conflict: There are as many as there may be.
    """
    if allowance is None:
        return
    mine = (_owner == allowance.owner) & bots.c.archived_at.is_(None)
    count = await connection.scalar(select(func.count()).select_from(bots).where(mine))
    allowance.must_have_room(count or 0, refused)


async def must_be_budgeted(
    connection: AsyncConnection,
    allowance: Allowance | None,
    bot: tuple[str, BotSettings],
    refused: str,
) -> None:
    """Refuse settings of a bot (its id, and they) that could spend too much; the owner is held.

    Raises:
        Forbidden: They could by themselves.
        Conflict: They could together with the owner's other bots that are not stopped.
    """
    if allowance is None:
        return
    bot_id, settings = bot
    allowance.must_be_budgeted(settings, refused)
    others = (_owner == allowance.owner) & (bots.c.id != bot_id)
    running = select(bots.c.settings).where(others, bots.c.status != BotStatus.STOPPED)
    known = [BotSettings.model_validate(row) for row in await connection.scalars(running)]
    allowance.must_leave_enough(settings, known, refused)
