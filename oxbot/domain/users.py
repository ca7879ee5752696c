"""Who uses the API, and what is theirs."""

import hashlib
import hmac
from enum import Enum, auto
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from oxbot.domain.bot import Bot
from oxbot.domain.values import Value

UserName = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, to_lower=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{1,59}$"
    ),
]
"""2 to 60 letters, digits and `._@+-`, so that it may be a mail address; small letters count."""

Password = Annotated[str, Field(min_length=12, max_length=200)]

LOGIN_S: Final = 30 * 86_400
"""Seconds after which a login ends by itself."""


AGAIN_S: Final = 10
"""Seconds in which a used refresh token may come again since its answer was lost."""

KEPT_S: Final = 30 * 86_400
"""Seconds for which a login that is over is kept on record."""


def first_code(secret: str) -> str:
    """Give the code by which the first user shows that the system is his.

    Whoever knows the secret that signs access tokens can make it, and nobody else.
    """
    return hmac.new(secret.encode(), b"0xbot: the first user", hashlib.sha256).hexdigest()[:24]


class Claim(Enum):
    """By what somebody may become the first user, who is the administrator."""

    NONE = auto()
    """Nothing: he comes from anywhere."""
    LOCAL = auto()
    """He is on this machine: enough while there is no bot that he could take over."""
    CODE = auto()
    """He has shown the code."""


class User(Value):
    """Somebody who may sign in; `created_ms` is wall time (UTC)."""

    id: str
    name: str
    is_admin: bool
    created_ms: int

    def sees(self, bot: Bot) -> bool:
        """Whether a bot is theirs to see and control."""
        return self.is_admin or bot.settings.owner == self.id

    @property
    def owner(self) -> str | None:
        """Whose bots a list of theirs has; None: everybody's."""
        return None if self.is_admin else self.id


class UserLine(User):
    """A user with how many logins stand."""

    logins: int


class NewUser(Value):
    """Somebody who registers, with the hash of the password."""

    id: str
    name: str
    password_hash: str


class KnownUser(Value):
    """A user with the hash of the password."""

    user: User
    password_hash: str


class NewLogin(Value):
    """A login as it begins: `token_hash` is of its first refresh token, times are wall ms (UTC)."""

    id: str
    user_id: str
    token_hash: str
    opened_ms: int
    expires_ms: int


class Login(Value):
    """A login that stands, and whose it is."""

    id: str
    user: User
