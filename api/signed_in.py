"""Who makes a request, and which bots are theirs."""

from typing import Annotated, Final, cast

from fastapi import Depends, Path, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from limits.aio.strategies import MovingWindowRateLimiter

from api.attempts import Attempts
from api.desk import TheDesk
from oxbot.app.users import Reception, signed_in
from oxbot.domain.bot import ID_PATTERN, Bot, Mode, no_bot
from oxbot.domain.errors import Forbidden, Unauthorised
from oxbot.domain.users import Login, User

BEARER: Final = HTTPBearer(
    auto_error=False, description="An access token of `POST /login`, good for ten minutes."
)

BotId = Annotated[str, Path(pattern=ID_PATTERN, description="The bot's id.")]


async def _reception(request: Request) -> Reception:
    return cast("Reception", request.app.state.reception)


async def _attempts(request: Request) -> Attempts:
    windows = cast("MovingWindowRateLimiter", request.app.state.attempts)
    return Attempts(windows, request.client.host if request.client else "nowhere")


TheReception = Annotated[Reception, Depends(_reception)]
TheAttempts = Annotated[Attempts, Depends(_attempts)]
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]


async def _login(reception: TheReception, credentials: Credentials) -> Login:
    if credentials is None:
        raise Unauthorised("Nobody is signed in: send the access token that POST /login gives.")
    return await signed_in(reception, credentials.credentials)


TheLogin = Annotated[Login, Depends(_login)]


async def _user(login: TheLogin) -> User:
    return login.user


TheUser = Annotated[User, Depends(_user)]


async def _admin(user: TheUser) -> User:
    if not user.is_admin:
        raise Forbidden("Only an administrator may do this.")
    return user


TheAdmin = Annotated[User, Depends(_admin)]
USERS: Final = Depends(_user)
ADMINS: Final = Depends(_admin)
"""What a route depends on that does not ask who it is."""


async def _bot(desk: TheDesk, user: TheUser, bot_id: BotId) -> Bot:
    """Give a bot of the user's; another's is not found."""
    bot = await desk.store.bot(bot_id)
    if not user.sees(bot):
        raise no_bot(bot_id)
    return bot


TheBot = Annotated[Bot, Depends(_bot)]


def _bot_to_trade(user: TheUser, bot: TheBot) -> Bot:
    """Give a bot that the user may have trade; whoever may not can still pause, sell and stop."""
    if bot.settings.mode is Mode.LIVE and not user.is_admin:
        raise Forbidden(
            f"Bot {bot.id} trades live, which only an administrator may have it do. Pausing it, "
            "selling what it holds and stopping it is yours all the same."
        )
    return bot


TheBotToTrade = Annotated[Bot, Depends(_bot_to_trade)]
"""For what makes a bot trade, or trade differently."""
