"""Bots made and controlled: each answer says what holds from now on."""

import hashlib
from typing import Annotated, Final

from fastapi import APIRouter, Header, Response
from pydantic import Field

from api.desk import TheDesk, TheSettings
from api.problems import PROBLEM, Responses
from api.signed_in import TheAdmin, TheBot, TheUser
from oxbot.app import bots, flatten
from oxbot.app.bots import ALPHABET, create_or_find
from oxbot.app.flatten import Flattened
from oxbot.app.limits import ask_for_limits
from oxbot.domain.bot import Bot, BotSettings, Mode
from oxbot.domain.errors import Conflict, Forbidden, InputError
from oxbot.domain.losses import Losses as LostAmounts
from oxbot.domain.orders import OrderId
from oxbot.domain.users import User
from oxbot.domain.values import Storable, Value
from oxbot.messages import (
    ChangeLimits,
    ControlAnswer,
    ControlRequest,
    LimitsAnswer,
    Reconciliation,
    SayOverRequest,
    WriteOffRequest,
)

REFUSALS: Final[Responses] = {401: PROBLEM, 409: PROBLEM, 503: PROBLEM}

router = APIRouter(prefix="/bots", tags=["control"], responses=REFUSALS)
of_one = APIRouter(prefix="/{bot_id}", responses={404: PROBLEM})

MOVING: Final[Responses] = {
    202: {"model": ControlAnswer, "description": "Orders are in flight still."}
}

Reason = Annotated[Storable, Field(max_length=200, description="Why, for the record.")]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=200,
        description="Sent again with the same body it gives the bot that was made.",
    ),
]


class Because(Value):
    """Why something is done."""

    reason: Reason = ""


class Stop(Because):
    """How a bot is to end: everything sold first (`flatten`), or kept until it is by itself."""

    flatten: bool = True


NO_REASON: Final = Because()
SELL: Final = Stop()
"""What holds where a request has no body."""


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


@router.post("", status_code=201, responses={200: {"model": Bot}, 403: PROBLEM})
async def create(
    desk: TheDesk,
    settings: TheSettings,
    user: TheUser,
    wished: BotSettings,
    response: Response,
    key: Key = None,
) -> Bot:
    """Make a bot of yours and start it: 201, or 200 with the one that this key has made.

    Live bots are made by administrators, where live trading is set up. Owner and venue cannot be
    chosen: you are the one, and the other is where this system trades.
    """
    if wished.mode is Mode.LIVE and not user.is_admin:
        raise Forbidden("No bot was made: live bots are made by administrators.")
    if wished.mode is Mode.LIVE and settings.live_problem:
        raise Conflict(f"No bot was made: {settings.live_problem}")
    if wished.model_fields_set & {"owner", "venue"}:
        raise InputError("No bot was made: its owner is you, and its venue this system's.")
    chosen = wished.model_copy(update={"owner": user.id})
    bot_id = _id_of(user, key) if key else None
    bot, is_new = await create_or_find(desk, chosen, settings.model_providers, bot_id)
    response.status_code = 201 if is_new else 200
    return bot


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
    return _told(response, await bots.pause_bot(desk, bot.id, _request(user, asked)))


@of_one.post("/resume", responses=MOVING)
async def resume(
    desk: TheDesk, user: TheUser, bot: TheBot, response: Response, asked: Because = NO_REASON
) -> ControlAnswer:
    """Let a paused bot trade again."""
    return _told(response, await bots.resume_bot(desk, bot.id, _request(user, asked)))


@of_one.post("/stop", responses=MOVING)
async def stop(
    desk: TheDesk, user: TheUser, bot: TheBot, response: Response, asked: Stop = SELL
) -> ControlAnswer:
    """End a bot: 200 when it has, 202 while it closes."""
    request = ControlRequest(by=_by(user), reason=asked.reason, flatten=asked.flatten)
    return _told(response, await bots.stop_bot(desk, bot.id, request))


@of_one.post("/flatten", responses={202: {"model": Flattened}})
async def flatten_one(
    desk: TheDesk, user: TheUser, bot: TheBot, response: Response, asked: Because = NO_REASON
) -> Flattened:
    """Sell everything and stay paused: 200 with the proof that nothing is left, else 202."""
    done = await flatten.flatten_bot(desk, bot.id, _request(user, asked))
    response.status_code = 200 if done.report.done else 202
    return done


@of_one.patch("/limits")
async def limits(desk: TheDesk, user: TheUser, bot: TheBot, asked: Limits) -> LimitsAnswer:
    """Change what a running bot is held to; it decides by that from its next step on."""
    change = ChangeLimits(by=_by(user), reason=asked.reason, limits=asked.limits)
    return await ask_for_limits(desk, bot.id, change)


@of_one.post("/reconcile")
async def reconcile(desk: TheDesk, bot: TheBot) -> Reconciliation:
    """Hold a live bot's record against its account: what was booked, proven, and what differs."""
    return await bots.reconcile_bot(desk, bot.id)


@of_one.post("/write-off", responses={403: PROBLEM})
async def write_off(desk: TheDesk, admin: TheAdmin, bot: TheBot, asked: Losses) -> Reconciliation:
    """Take what is gone from the account off the bot's books, as a loss; for administrators."""
    wish = WriteOffRequest.model_validate({**asked.model_dump(), "by": _by(admin)})
    return await bots.write_off(desk, bot.id, wish)


@of_one.post("/over", responses={403: PROBLEM})
async def over(desk: TheDesk, admin: TheAdmin, bot: TheBot, asked: Over) -> Reconciliation:
    """End an order or stop that the exchange shows nowhere; for administrators who have looked."""
    wish = SayOverRequest.model_validate({**asked.model_dump(), "by": _by(admin)})
    return await bots.say_over(desk, bot.id, wish)


def _told(response: Response, answer: ControlAnswer) -> ControlAnswer:
    """Answer 202 where something can still be sent, or the record does not have it yet."""
    response.status_code = 202 if answer.in_flight or not answer.recorded else 200
    return answer


def _request(user: User, asked: Because) -> ControlRequest:
    return ControlRequest(by=_by(user), reason=asked.reason)


def _by(user: User) -> str:
    return f"{user.name}, API"


router.include_router(of_one)
