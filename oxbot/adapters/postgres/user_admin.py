"""Users as whoever has the machine administers them."""

from typing import Final

from sqlalchemy import ColumnElement, Executable, func, insert, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres import locks
from oxbot.adapters.postgres.schema import logins, users
from oxbot.adapters.postgres.users import PostgresUsers
from oxbot.domain.errors import Conflict, NotFound
from oxbot.domain.users import User, UserLine

NEW_PASSWORD: Final = "the password was changed"  # noqa: S105 - why a login ended

_USER: Final = (users.c.id, users.c.name, users.c.is_admin, users.c.created_at.label("created_ms"))
_STANDS: Final = logins.c.ended_at.is_(None) & (logins.c.expires_at > func.now())
_LINES: Final = (
    select(*_USER, func.count(logins.c.id).label("logins"))
    .outerjoin(logins, (logins.c.user_id == users.c.id) & _STANDS)
    .group_by(users.c.id)
    .order_by(users.c.created_at, users.c.id)
)


class PostgresUserAdmin(PostgresUsers):
    """`oxbot.ports.user_admin.UserAdmin` in PostgreSQL."""

    async def lines(self) -> list[UserLine]:
        """Give all users with the number of their logins, oldest first."""
        async with self._statements() as connection:
            rows = (await connection.execute(_LINES)).mappings()
            return [UserLine.model_validate(dict(row)) for row in rows]

    async def add(self, user_id: str, name: str, password_hash: str, *, is_admin: bool) -> User:
        """Add a user, also while nobody may register; the first is an administrator. Conflict."""
        async with self._transaction() as connection:
            await _lock(connection)
            if await _is_any(connection, _named(name)):
                raise Conflict(f"There is a user {name} already. Choose another name.")
            is_first = not await _is_any(connection, true())
            row = {"id": user_id, "name": name, "password_hash": password_hash}
            new = insert(users).values({**row, "is_admin": is_admin or is_first})
            return await _one(connection, new.returning(*_USER), name)

    async def set_password(self, name: str, password_hash: str) -> User:
        """Change a password, and end all logins that it began. NotFound."""
        changed = update(users).where(_named(name)).values(password_hash=password_hash)
        async with self._transaction() as connection:
            user = await _one(connection, changed.returning(*_USER), name)
            await _end_all(connection, user.id, NEW_PASSWORD)
        return user

    async def end_logins_of(self, name: str, because: str) -> int:
        """End all logins of a user; give how many. NotFound."""
        async with self._transaction() as connection:
            user = await _one(connection, select(*_USER).where(_named(name)), name)
            return await _end_all(connection, user.id, because)

    async def set_admin(self, name: str, *, is_admin: bool) -> User:
        """Make somebody an administrator, or no longer one. NotFound, Conflict."""
        changed = update(users).where(_named(name)).values(is_admin=is_admin).returning(*_USER)
        async with self._transaction() as connection:
            await _lock(connection)
            user = await _one(connection, changed, name)
            if not await _is_any(connection, users.c.is_admin):
                raise Conflict(f"{name} is the only administrator. Make another one first.")
        return user


def _named(name: str) -> ColumnElement[bool]:
    return users.c.name == name


async def _lock(connection: AsyncConnection) -> None:
    """Let nobody register, and nobody else administer, until the transaction ends."""
    await locks.hold(connection, locks.REGISTERING)


async def _is_any(connection: AsyncConnection, such: ColumnElement[bool]) -> bool:
    return bool(await connection.scalar(select(select(users.c.id).where(such).exists())))


async def _one(connection: AsyncConnection, statement: Executable, name: str) -> User:
    row = (await connection.execute(statement)).mappings().first()
    if row is None:
        raise NotFound(f"There is no user {name}. `oxbot users list` shows those there are.")
    return User.model_validate(dict(row))


async def _end_all(connection: AsyncConnection, user_id: str, because: str) -> int:
    ended = (
        update(logins)
        .where(logins.c.user_id == user_id, _STANDS)
        .values(ended_at=func.now(), ended_because=because)
    )
    return (await connection.execute(ended)).rowcount
