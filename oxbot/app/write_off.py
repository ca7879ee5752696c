"""What is gone from a live bot's account, taken off its books at a person's word."""

from decimal import Decimal

import structlog

from oxbot.app.coverage import coverage
from oxbot.app.ports import Ports
from oxbot.app.reconciliation import reconcile_bot
from oxbot.domain.bot import Bot, Mode
from oxbot.domain.errors import Conflict, InputError
from oxbot.messages import Reconciliation, WriteOffMissing
from oxbot.records import WriteOff

NOTHING: str = "Nothing was written off"

log = structlog.get_logger(__name__)


async def write_off(ports: Ports, request: WriteOffMissing) -> Reconciliation:
    """Reconcile, take what was confirmed off the books, and prove the stops of what is left.

    Called again it finds what was done, and goes on from there.

    Raises:
        Conflict: It is not, or no longer, what is missing; or something is under way or not
            known, so that nobody can say what is. Nothing was written off.
        InputError: The bot trades on paper.
        Unavailable: The exchange or the record does not answer.
    """
    bot = await ports.store.bot(request.reconcile.bot_id)
    if bot.settings.mode is not Mode.LIVE:
        raise InputError(f"{NOTHING}: bot {bot.id} trades on paper, and has no account.")
    if not await _done(ports, request):
        _must_be_known(await reconcile_bot(ports, request.reconcile))
        await _take_off(ports, bot, request)
    found = await reconcile_bot(ports, request.reconcile)
    return found.model_copy(update={"written_off": await _done(ports, request)})


async def _done(ports: Ports, request: WriteOffMissing) -> dict[str, Decimal]:
    return await ports.store.written_off(request.reconcile.bot_id, request.wish.id)


def _must_be_known(found: Reconciliation) -> None:
    """Refuse while something could still explain what is missing.

    What cannot be sold is no obstacle: that its coins are gone is why.
    """
    if found.unknown or found.broken:
        why = "; ".join((*found.unknown, *found.broken))
        raise Conflict(f"{NOTHING}, since not everything is known yet: {why}.")


async def _take_off(ports: Ports, bot: Bot, request: WriteOffMissing) -> None:
    covered = await coverage(ports, bot.settings.venue)
    if covered.moving:
        raise Conflict(f"{NOTHING}: {covered.moving}. Try again in some seconds.")
    if not covered.lacks:
        raise Conflict(f"{NOTHING}: the account has all that its bots claim.")
    wish = WriteOff(
        bot_id=bot.id,
        at_ms=(await ports.clock.reading()).venue_ms,
        **request.wish.model_dump(),
    )
    await ports.store.write_off(wish, covered.seen)
    log.error("written off", bot=bot.id, by=wish.by, losses=request.wish.model_dump()["losses"])
