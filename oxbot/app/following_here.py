"""Following the events as whoever has the machine: no login, and nothing that could end it."""

from collections.abc import Collection
from typing import Final

from oxbot.domain.users import Login, User

OWNER: Final = Login(
    id="here", user=User(id="local", name="command line", is_admin=True, created_ms=0)
)
"""Stands for the machine's owner, who hears of all bots."""


class OwnersLogin:
    """`oxbot.ports.users.Logins` where nobody signs in: the owner's always stands."""

    async def standing(self, login_ids: Collection[str], now_ms: int) -> dict[str, Login]:  # noqa: ARG002 - at any time
        """Give the owner's, if it is asked for."""
        return {OWNER.id: OWNER} if OWNER.id in login_ids else {}
