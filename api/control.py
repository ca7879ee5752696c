"""Bots made and controlled: each answer says what holds from now on."""

import hashlib
from typing import Annotated, Final

from fastapi import APIRouter, Header, Response
from pydantic import Field

from api.allowances import allowance_of
from api.asked import NO_REASON, SELL, Because, Stop, by, request_of
from api.desk import TheDesk, TheSettings
from api.problems import PROBLEM, Responses
from api.signed_in import TheAdmin, TheBot, TheBotToTrade, TheUser
from oxbot.app import bots
from oxbot.app.bots import ALPHABET, Desk
from oxbot.app.flatten import Flattened, flatten_or_fail
from oxbot.app.limits import ask_for_limits
from oxbot.app.making import Made, make_bot, make_or_find
from oxbot.app.stop_all import stop_told
from oxbot.domain.allowance import Allowance
from oxbot.domain.bot import Bot, BotSettings, BotStatus, Mode
from oxbot.domain.errors import Conflict, Forbidden, InputError
from oxbot.domain.losses import Losses as LostAmounts
from oxbot.domain.orders import OrderId
from oxbot.domain.users import User
from oxbot.messages import (
    ChangeLimits,
    ControlAnswer,
    LimitsAnswer,
    Reconciliation,
    SayOverRequest,
    WriteOffRequest,
)
from oxbot.settings import Settings

REFUSALS: Final[Responses] = {401: PROBLEM, 409: PROBLEM, 503: PROBLEM}

router = APIRouter(prefix="/bots", tags=["control"], responses=REFUSALS)
of_one = APIRouter(prefix="/{bot_id}", responses={404: PROBLEM})

MOVING: Final[Responses] = {
    202: {"model": ControlAnswer, "description": "It does not hold yet: `status` says what does."}
}
MADE: Final[Responses] = {
    200: {"model": Bot, "description": "This key has made it before."},
    202: {"model": Bot, "description": "On record; it starts when Temporal answers."},
}
UNWRITTEN: Final[Responses] = {
    202: {"model": LimitsAnswer, "description": "They hold, and are not on record yet."}
}

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=200,
        description="Sent again with the same body it gives the bot that was made.",
    ),
]


class Limits(Because):
    """The limits that change, by name, as `oxbot bots limits` has them; null is off."""

    limits: Annotated[dict[str, str | int | None], Field(min_length=1, max_length=40)]


class Losses(Because):
    """What is gone from the account, as a reconciliation said it; `id` is fulfilled once."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]
    losses: LostAmounts


class Over(Because):
    """An order or stop that the exchange shows nowhere."""

    order_id: OrderId


@router.post("", status_code=201, responses=MADE | {403: PROBLEM})
async def create(
    desk: TheDesk,
    settings: TheSettings,
    user: TheUser,
    wished: BotSettings,
    response: Response,
    key: Key = None,
) -> Bot:
    """Make a bot of yours and start it: 201, or 200 with the one that this key has made.

    202: it is on record, and starts as soon as Temporal answers. Live bots are made by
    administrators, where live trading is set up, and always with a key. Owner and venue cannot be
    chosen: you are the one, and the other is where this system trades. Who is no administrator
    may have so many bots, at such an interval, and give models so much to spend (docs/api.md).
    """
    _must_be_allowed(user, settings, wished, key)
    chosen = wished.model_copy(update={"owner": user.id})
    allowance = allowance_of(user, settings)
    of = key and _id_of(user, key)
    made = await _made(desk, chosen, settings.model_providers, of, allowance)
    response.status_code = (201 if made.is_new else 200) if made.begun else 202
    return made.bot


def _must_be_allowed(user: User, settings: Settings, wished: BotSettings, key: str | None) -> None:
    """Refuse a bot that is not to be made by this user, here, or like this."""
    if wished.model_fields_set & {"owner", "venue"}:
        raise InputError("No bot was made: its owner is you, and its venue this system's.")
    if wished.mode is not Mode.LIVE:
        return
    if not user.is_admin:
        raise Forbidden("No bot was made: live bots are made by administrators.")
    if settings.live_problem:
        raise Conflict(f"No bot was made: {settings.live_problem}")
    if key is None:
        raise InputError(
            "No bot was made: a live bot is asked for with the header Idempotency-Key, so that "
            "asking again makes no second one."
        )


async def _made(
    desk: Desk,
    chosen: BotSettings,
    providers: frozenset[str],
    bot_id: str | None,
    allowance: Allowance | None,
) -> Made:
    if bot_id is None:
        return await make_bot(desk, chosen, providers, allowance=allowance)
    return await make_or_find(desk, chosen, providers, bot_id, allowance)


def _id_of(user: User, key: str) -> str:
    """Give the id that this key of this user stands for."""
    digest = hashlib.sha256(f"{user.id}\x1f{key}".encode()).digest()
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:16])


@of_one.post("/pause", responses=MOVING)
async def pause(
    desk: TheDesk, user: TheUser, bot: TheBot, response: Response, asked: Because = NO_REASON
) -> ControlAnswer:
    """Pause: no entries from now on; stops and targets go on.

    200: nothing in flight can be sent any more. 202: the orders that `in_flight` names can.
    """
    answer = await bots.pause_bot(desk, bot.id, request_of(user, asked))
    return _told(response, answer, BotStatus.PAUSED)


@of_one.post("/resume", responses=MOVING)
async def resume(
    desk: TheDesk, user: TheUser, bot: TheBotToTrade, response: Response, asked: Because = NO_REASON
) -> ControlAnswer:
    """Let a paused bot trade again: 200 once that is on record."""
    answer = await bots.resume_bot(desk, bot.id, request_of(user, asked))
    return _told(response, answer, BotStatus.RUNNING)


@of_one.post("/stop", responses=MOVING)
async def stop(
    desk: TheDesk, user: TheUser, bot: TheBot, response: Response, asked: Stop = SELL
) -> ControlAnswer:
    """End a bot: 200 when it has, 202 while it closes."""
    answer = await stop_told(desk, bot, request_of(user, asked))
    return _told(response, answer, BotStatus.STOPPED)


@of_one.post("/flatten", responses={202: {"model": Flattened}})
async def flatten_one(
    desk: TheDesk, user: TheUser, bot: TheBot, response: Response, asked: Because = NO_REASON
) -> Flattened:
    """Sell everything and stay paused: 200 with the proof that nothing is left, else 202."""
    done = await flatten_or_fail(desk, bot.id, request_of(user, asked))
    response.status_code = 200 if done.is_done else 202
    return done


@of_one.patch("/limits", responses=UNWRITTEN)
async def limits(
    desk: TheDesk, user: TheUser, bot: TheBotToTrade, response: Response, asked: Limits
) -> LimitsAnswer:
    """Change what a running bot is held to; it decides by that from its next step on."""
    change = ChangeLimits(by=by(user), reason=asked.reason, limits=asked.limits)
    answer = await ask_for_limits(desk, bot.id, change)
    response.status_code = 200 if answer.recorded else 202
    return answer


@of_one.post("/reconcile")
async def reconcile(desk: TheDesk, bot: TheBot) -> Reconciliation:
    """Hold a live bot's record against its account: what was booked, proven, and what differs."""
    return await bots.reconcile_bot(desk, bot.id)


@of_one.post("/write-off", responses={403: PROBLEM})
async def write_off(desk: TheDesk, admin: TheAdmin, bot: TheBot, asked: Losses) -> Reconciliation:
    """Take what is gone from the account off the bot's books, as a loss; for administrators."""
    wish = WriteOffRequest.model_validate({**asked.model_dump(), "by": by(admin)})
    return await bots.write_off(desk, bot.id, wish)


@of_one.post("/over", responses={403: PROBLEM})
async def over(desk: TheDesk, admin: TheAdmin, bot: TheBot, asked: Over) -> Reconciliation:
    """End an order or stop that the exchange shows nowhere; for administrators who have looked."""
    wish = SayOverRequest.model_validate({**asked.model_dump(), "by": by(admin)})
    return await bots.say_over(desk, bot.id, wish)


def _told(response: Response, answer: ControlAnswer, wanted: BotStatus) -> ControlAnswer:
    """Answer 200 only where what was wanted holds, on record, and nothing can act against it."""
    holds = answer.status == wanted and answer.recorded
    may_send = bool(answer.in_flight) and wanted is not BotStatus.RUNNING
    response.status_code = 200 if holds and not may_send else 202
    return answer


router.include_router(of_one)
