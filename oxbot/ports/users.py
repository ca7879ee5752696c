"""What signing in needs from the world: the record of users, hashes of passwords, tokens."""

from collections.abc import Collection
from typing import Protocol

from oxbot.domain.users import Claim, KnownUser, Login, NewLogin, NewUser, User


class Logins(Protocol):
    """Which logins stand."""

    async def standing(self, login_ids: Collection[str], now_ms: int) -> dict[str, Login]:
        """Give those of several logins that stand, by their ids."""
        ...


class Users(Logins, Protocol):
    """Who may sign in, and who has."""

    async def register(self, new: NewUser, claim: Claim) -> User:
        """Add a user; the first one is the administrator, whose claim has to be good enough.

        Raises:
            Forbidden: Registration is closed, or the first user has to show the code.
            Conflict: The name is taken.
        """
        ...

    async def has_any(self) -> bool:
        """Tell whether anybody has registered."""
        ...

    async def registration(self) -> bool:
        """Tell whether somebody may register: nobody has yet, or it was opened."""
        ...

    async def open_registration(self, *, is_open: bool) -> None:
        """Let everybody register, or nobody."""
        ...

    async def known(self, name: str) -> KnownUser | None:
        """Give a user with the hash of the password, if there is one of this name."""
        ...

    async def open_login(self, login: NewLogin, password_hash: str) -> bool:
        """Begin a login, if the password that was right is the user's still; whether it has."""
        ...

    async def use(self, token_hash: str, next_hash: str, now_ms: int) -> Login | None:
        """Use a refresh token, which gives its place to the next one; None where it is not good.

        One that was used before ends its login; but within `AGAIN_S` and while its successor was
        not used, its answer was lost, and the next one takes that successor's place.
        """
        ...

    async def login(self, login_id: str, now_ms: int) -> Login | None:
        """Give a login that stands."""
        ...

    async def change_password(self, login: Login, old_hash: str, new_hash: str) -> bool:
        """Keep a user's new password, and end all their logins but the one given.

        False, and nothing is done, where the old one has been changed meanwhile.
        """
        ...

    async def end_logins(self, user_id: str, because: str) -> None:
        """End all logins of a user."""
        ...

    async def end_login(self, login_id: str, because: str) -> None:
        """End a login; one that has ended stays as it is."""
        ...


class Passwords(Protocol):
    """Hashes of passwords, which take long on purpose."""

    async def hashed(self, password: str) -> str:
        """Give the hash to keep."""
        ...

    async def is_right(self, password: str, kept: str | None) -> bool:
        """Hold a password against a hash; None takes as long, and is wrong."""
        ...


class AccessTokens(Protocol):
    """What is shown with each request."""

    def made(self, login: Login, now_ms: int) -> tuple[str, int]:
        """Give a token for a login, and for how many seconds it is good."""
        ...

    def login_of(self, token: str) -> str:
        """Give the id of the login that a token was made for.

        Raises:
            Unauthorised: It is no token of ours, or has expired.
        """
        ...
