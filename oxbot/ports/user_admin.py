"""What administering users needs of their record."""

from typing import Protocol

from oxbot.domain.users import User, UserLine


class UserAdmin(Protocol):
    """Users, as whoever has the machine administers them."""

    async def lines(self) -> list[UserLine]:
        """Give all users with the number of their logins, oldest first."""
        ...

    async def add(self, user_id: str, name: str, password_hash: str, *, is_admin: bool) -> User:
        """Add a user, also while registration is closed; the first one is an administrator.

        Raises:
            Conflict: The name is taken.
        """
        ...

    async def set_password(self, name: str, password_hash: str) -> User:
        """Change a password, and end all logins that it began.

        Raises:
            NotFound: There is no such user.
        """
        ...

    async def end_logins_of(self, name: str, because: str) -> int:
        """End all logins of a user; give how many.

        Raises:
            NotFound: There is no such user.
        """
        ...

    async def set_admin(self, name: str, *, is_admin: bool) -> User:
        """Make somebody an administrator, or no longer one.

        Raises:
            NotFound: There is no such user.
            Conflict: It is the only administrator.
        """
        ...

    async def registration(self) -> bool:
        """Tell whether somebody may register."""
        ...

    async def open_registration(self, *, is_open: bool) -> None:
        """Let everybody register, or nobody."""
        ...
