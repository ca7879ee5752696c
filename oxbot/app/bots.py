"""Making, showing and controlling bots: what the API and the command line both call."""

import re
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from oxbot.app.budget import day_began_ms
from oxbot.app.prompt import check_version
from oxbot.domain.allowance import PLAINLY, Asked
from oxbot.domain.balances import must_be_free
from oxbot.domain.bot import ID_PATTERN, Bot, BotSettings, BotStatus, Mode
from oxbot.domain.decision import DecisionCounts
from oxbot.domain.errors import (
    Conflict,
    InputError,
    NotFound,
    SetupError,
    Unavailable,
    VenueUnavailable,
)
from oxbot.domain.limits import must_make_sense
from oxbot.domain.listing import check_listed, check_live
from oxbot.domain.models import check_provider
from oxbot.domain.money import Notional
from oxbot.domain.values import Value
from oxbot.messages import (
    BotView,
    ControlAnswer,
    ControlRequest,
    Reconciliation,
    SayOverRequest,
    WriteOffRequest,
)
from oxbot.ports import BotControl, Breaker, Keeping, Listing, PriceBoard, Store
from oxbot.records import CycleRow, EventRow, OrderRow, TradeRow

ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and digits that are not mistaken for each other."""


@dataclass(frozen=True)
class Desk:
    """Where people give orders: the record, the running bots, the venue and what it lists.

    Board and breaker tell how the venue does; for that nobody at the desk asks it. `free_usdt`
    asks the account of live bots what is free; None where that is nobody's business, as is
    `keeping` where nobody keeps the record of bots in order.
    """

    store: Store
    control: BotControl
    venue: str
    listing: Listing
    board: PriceBoard
    breaker: Breaker
    free_usdt: Callable[[], Awaitable[Decimal]] | None = None
    keeping: Keeping | None = None

    @property
    def keeper(self) -> Keeping:
        """Give the record of bots as people keep it in order.

        Raises:
            SetupError: That is not done here.
        """
        if self.keeping is None:
            raise SetupError("Bots are not kept in order here.")
        return self.keeping


class BotPage(Value):
    """One bot in full; `view` is None where its workflow does not answer, with the reason.

    `decisions` are of the present UTC day by wall time.
    """

    bot: Bot
    view: BotView | None
    unanswered: str | None
    cycles: tuple[CycleRow, ...]
    orders: tuple[OrderRow, ...]
    trades: tuple[TradeRow, ...]
    events: tuple[EventRow, ...]
    cash: Notional
    decisions: DecisionCounts = DecisionCounts()


def new_bot_id() -> str:
    """Make an id that is easy to read and to type."""
    return "".join(secrets.choice(ALPHABET) for _ in range(8))


async def create_bot(
    desk: Desk, settings: BotSettings, providers: frozenset[str], bot_id: str | None = None
) -> Bot:
    """Put a bot on record and start it, for those who go on with it at once.

    Raises:
        Unavailable: Temporal does not answer; the bot is on record, and starts when it does.
        As `record_bot` does.
    """
    bot = await record_bot(desk, settings, providers, bot_id)
    await desk.control.start(bot)
    return bot


async def record_bot(
    desk: Desk,
    settings: BotSettings,
    providers: frozenset[str],
    bot_id: str | None = None,
    asked: Asked = PLAINLY,
) -> Bot:
    """Put a bot on record, on the venue that this system looks at: from then on it will run.

    `asked` says by what request, and what whoever made it is held to.

    Raises:
        InputError: A model provider that is unknown or not set up, no such prompt version, an id
            that cannot be one, limits that contradict each other, symbols that the venue does
            not list, with the nearest that it does, or that it has halted, or capital that a
            live bot's account does not have free.
        VenueUnavailable: Nobody can say what the venue lists; no bot was made.
        SetupError: It is to trade live, and that is off, or key or account are not fit for it.
        Conflict: The id is taken, or live bots trade just now, so that nobody knows what is free;
            or the owner has as many bots, or has given them as much to spend, as there may be.
        Forbidden: Only an administrator may have a bot that decides so often, or so dearly.
    """
    if bot_id is not None and not re.fullmatch(ID_PATTERN, bot_id):
        raise InputError(
            f"{bot_id!r} cannot be a bot's id: use small letters, digits and hyphens, at most 31, "
            "and no hyphen at the beginning."
        )
    if asked.allowance is not None:
        asked.allowance.must_be_slow_enough(settings)
    check_deciders(settings, providers)
    must_make_sense(settings.limits, settings.capital, settings.mode)
    await _must_be_listed(desk, settings.symbols)
    free = await _free_usdt(desk, settings.capital) if settings.mode is Mode.LIVE else None
    here = settings.model_copy(update={"venue": desk.venue})
    now_ms = time.time_ns() // 10**6
    return await desk.store.create_bot(bot_id or new_bot_id(), here, now_ms, free, asked)


def check_deciders(settings: BotSettings, providers: frozenset[str]) -> None:
    """Refuse models that cannot be asked, and wordings that there are not. InputError."""
    for choice in settings.choices:
        check_provider(choice.provider, providers)
    if settings.prompt_version is not None:
        check_version(settings.prompt_version)


async def _free_usdt(desk: Desk, capital: Notional) -> Decimal:
    """Give what the account has free, which must be enough for one more live bot.

    What others have is read before the account is asked, and again by the store, under a lock:
    what they buy or sell meanwhile, and two bots that are made at once, count for the worse.
    """
    if desk.free_usdt is None:
        raise SetupError("Live bots are not made here.")
    claims = await desk.store.claims(desk.venue)
    free = await desk.free_usdt()
    if claims.sent:
        raise Conflict(
            f"No bot was made: a live bot has just sent an order for {', '.join(claims.sent)}, so "
            "nobody can say how much of the account is free. Try again in some seconds."
        )
    must_be_free(free, claims.cash, capital)
    return free


async def _must_be_listed(desk: Desk, symbols: Sequence[str]) -> None:
    """Make sure that the venue lists these symbols; a refusal rests on its list of this moment."""
    try:
        listed = await desk.listing.listing()
        if not all(symbol in listed and listed[symbol].live for symbol in symbols):
            listed = await desk.listing.listing(fresh=True)
    except VenueUnavailable as error:
        raise VenueUnavailable(
            f"No bot was made, because nobody can say now whether {', '.join(symbols)} can be "
            f"traded. {error} Try again."
        ) from error
    check_listed(symbols, listed)
    check_live(symbols, listed)


async def list_bots(desk: Desk) -> list[Bot]:
    """Give all bots, oldest first."""
    return await desk.store.bots()


async def show_bot(desk: Desk, bot_id: str, rows: int = 10) -> BotPage:
    """Give one bot with its last cycles, orders, trades and events: the same work at any age.

    Raises:
        NotFound: There is no such bot.
    """
    bot = await desk.store.bot(bot_id)
    view, unanswered = await _view(desk, bot_id)
    return BotPage(
        bot=bot,
        view=view,
        unanswered=unanswered,
        cycles=tuple(await desk.store.cycles(bot_id, rows)),
        orders=tuple(await desk.store.orders(bot_id, rows)),
        trades=tuple(await desk.store.trades(bot_id, rows)),
        events=tuple(await desk.store.events(bot_id, rows)),
        cash=(await desk.store.portfolio(bot_id)).cash,
        decisions=await desk.store.decision_counts(day_began_ms(), bot_id),
    )


async def _view(desk: Desk, bot_id: str) -> tuple[BotView | None, str | None]:
    try:
        return await desk.control.view(bot_id), None
    except (NotFound, Unavailable) as error:
        return None, str(error)


async def pause_bot(desk: Desk, bot_id: str, request: ControlRequest) -> ControlAnswer:
    """Pause: no entries from now on, protection goes on. NotFound, Conflict."""
    await _must_live(desk, bot_id)
    return await desk.control.pause(bot_id, request)


async def resume_bot(desk: Desk, bot_id: str, request: ControlRequest) -> ControlAnswer:
    """Resume a paused bot. NotFound, Conflict."""
    await _must_live(desk, bot_id)
    return await desk.control.resume(bot_id, request)


async def stop_bot(desk: Desk, bot_id: str, request: ControlRequest) -> ControlAnswer:
    """Stop: flatten and complete, or stay closing until flat. NotFound, Conflict."""
    await _must_live(desk, bot_id)
    return await desk.control.stop(bot_id, request)


async def reconcile_bot(desk: Desk, bot_id: str) -> Reconciliation:
    """Hold a live bot's record against its account, book what was missed, prove its stops.

    Raises:
        InputError: The bot trades on paper.
        NotFound: There is no such bot.
        Conflict: It is stopped.
        Unavailable: It does not answer.
    """
    await _must_have_account(desk, bot_id)
    return await desk.control.reconcile(bot_id)


async def write_off(desk: Desk, bot_id: str, request: WriteOffRequest) -> Reconciliation:
    """Take what is gone from a live bot's account off its books, and prove what is left.

    Raises:
        InputError: The bot trades on paper.
        NotFound: There is no such bot.
        Conflict: It is stopped; or that is not what is missing, or nobody can say what is.
        Unavailable: It does not answer; whoever asks again with the same request learns more.
    """
    await _must_have_account(desk, bot_id)
    return await desk.control.write_off(bot_id, request)


async def say_over(desk: Desk, bot_id: str, request: SayOverRequest) -> Reconciliation:
    """End an order or stop that the exchange shows nowhere, and prove what is left.

    Raises:
        InputError: The bot trades on paper.
        NotFound: There is no such bot, or it has no such order or stop.
        Conflict: It is stopped; or it is known what became of it, or may yet become known.
        Unavailable: It does not answer; whoever asks again with the same request learns more.
    """
    await _must_have_account(desk, bot_id)
    return await desk.control.say_over(bot_id, request)


async def _must_have_account(desk: Desk, bot_id: str) -> None:
    await _must_live(desk, bot_id)
    if (await desk.store.bot(bot_id)).settings.mode is not Mode.LIVE:
        raise InputError(f"Bot {bot_id} trades on paper: there is no account to reconcile with.")


async def _must_live(desk: Desk, bot_id: str) -> None:
    bot = await desk.store.bot(bot_id)
    if bot.status is BotStatus.STOPPED:
        raise Conflict(f"Bot {bot_id} is stopped; it does nothing any more.")
