"""Users, their logins, and the refresh tokens that keep them."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    Text,
    Update,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres import locks
from oxbot.adapters.postgres.columns import Milliseconds
from oxbot.adapters.postgres.rows import Records
from oxbot.adapters.postgres.schema import bots, logins, refresh_tokens, registration, users
from oxbot.app.users import closed, unproven
from oxbot.domain.errors import Conflict
from oxbot.domain.users import (
    AGAIN_S,
    KEPT_S,
    Claim,
    KnownUser,
    Login,
    NewLogin,
    NewUser,
    User,
)

_FORGOTTEN: Final = 100
"""Old logins that are forgotten with each new one."""

MISUSED: Final = "a used refresh token came again"

_USE: Final = (
    update(refresh_tokens)
    .where(refresh_tokens.c.hash == bindparam("of"), refresh_tokens.c.used_at.is_(None))
    .values(used_at=bindparam("at"))
    .returning(refresh_tokens.c.hash)
)

_USER: Final = (users.c.id, users.c.name, users.c.is_admin, users.c.created_at.label("created_ms"))

_LOGINS: Final = (
    select(logins.c.id.label("login_id"), *_USER)
    .join(users, users.c.id == logins.c.user_id)
    .where(logins.c.ended_at.is_(None))
)
_LOGIN: Final = _LOGINS.where(
    logins.c.id == bindparam("of_login", type_=Text),
    logins.c.expires_at > bindparam("now", type_=Milliseconds),
)
"""What each request asks: made once."""


class PostgresUsers(Records):
    """`oxbot.ports.users.Users` in PostgreSQL."""

    async def register(self, new: NewUser, claim: Claim) -> User:
        """Add a user; the first one is the administrator. Forbidden, Conflict."""
        async with self._transaction() as connection:
            await locks.hold(connection, locks.REGISTERING)
            is_first = await _is_empty(connection)
            if not is_first and not await _is_open(connection):
                raise closed()
            if is_first:
                await _must_do(connection, claim)
            row = {**new.model_dump(), "is_admin": is_first}
            added = postgresql.insert(users).values(row)
            added = added.on_conflict_do_nothing(index_elements=["name"])
            found = (await connection.execute(added.returning(*_USER))).mappings().one_or_none()
        if found is None:
            raise Conflict(f"There is a user {new.name} already. Choose another name.")
        return User.model_validate(dict(found))

    async def has_any(self) -> bool:
        """Tell whether anybody has registered."""
        async with self._statements() as connection:
            return not await _is_empty(connection)

    async def registration(self) -> bool:
        """Tell whether somebody may register: nobody has yet, or it was opened."""
        async with self._statements() as connection:
            return await _is_open(connection) or await _is_empty(connection)

    async def open_registration(self, *, is_open: bool) -> None:
        """Let everybody register, or nobody."""
        kept = postgresql.insert(registration).values(one=True, is_open=is_open)
        changed = kept.on_conflict_do_update(index_elements=["one"], set_={"is_open": is_open})
        async with self._statements() as connection:
            await connection.execute(changed)

    async def known(self, name: str) -> KnownUser | None:
        """Give a user with the hash of the password, if there is one of this name."""
        query = select(*_USER, users.c.password_hash).where(users.c.name == name)
        async with self._statements() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        if row is None:
            return None
        return KnownUser(user=_user(row), password_hash=row["password_hash"])

    async def open_login(self, login: NewLogin, password_hash: str) -> bool:
        """Begin a login, if the password that was right is the user's still; whether it has.

        Whoever changes the password waits for this, and then ends the login with the others.
        """
        is_right = (users.c.id == login.user_id) & (users.c.password_hash == password_hash)
        held = select(users.c.id).where(is_right).with_for_update(read=True)
        row = {
            "id": login.id,
            "user_id": login.user_id,
            "opened_at": login.opened_ms,
            "expires_at": login.expires_ms,
        }
        first = {"hash": login.token_hash, "login_id": login.id}
        async with self._transaction() as connection:
            if await connection.scalar(held) is None:
                return False
            await _forget_old(connection, login.opened_ms - KEPT_S * 1000)
            await connection.execute(insert(logins).values(row))
            await connection.execute(insert(refresh_tokens).values(first))
        return True

    async def use(self, token_hash: str, next_hash: str, now_ms: int) -> Login | None:
        """Use a refresh token, which gives its place to the next one; None where it is not good.

        One that was used before ends its login, unless its answer was lost.
        """
        query = (
            _standing(now_ms)
            .join(refresh_tokens, refresh_tokens.c.login_id == logins.c.id)
            .where(refresh_tokens.c.hash == token_hash)
            .with_for_update(of=logins)
        )
        async with self._transaction() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
            if row is None:
                return None
            # What was read before the lock may be older than what whoever held it has written.
            if not (
                (await connection.execute(_USE, {"of": token_hash, "at": now_ms})).first()
                or await _answer_was_lost(connection, token_hash, now_ms)
            ):
                await _end(connection, row["login_id"], MISUSED)
                return None
            following = {"hash": next_hash, "login_id": row["login_id"], "follows": token_hash}
            await connection.execute(insert(refresh_tokens).values(following))
        return Login(id=row["login_id"], user=_user(row))

    async def login(self, login_id: str, now_ms: int) -> Login | None:
        """Give a login that stands."""
        given = {"of_login": login_id, "now": now_ms}
        async with self._statements() as connection:
            row = (await connection.execute(_LOGIN, given)).mappings().one_or_none()
        return None if row is None else Login(id=row["login_id"], user=_user(row))

    async def standing(self, login_ids: Collection[str], now_ms: int) -> dict[str, Login]:
        """Give those of several logins that stand, by their ids."""
        query = _standing(now_ms).where(logins.c.id.in_(login_ids))
        async with self._statements() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return {row["login_id"]: Login(id=row["login_id"], user=_user(row)) for row in rows}

    async def change_password(self, login: Login, old_hash: str, new_hash: str) -> bool:
        """Keep a user's new password if the old one is theirs still, and end all other logins."""
        is_right = (users.c.id == login.user.id) & (users.c.password_hash == old_hash)
        changed = update(users).where(is_right).values(password_hash=new_hash)
        others = (logins.c.user_id == login.user.id) & (logins.c.id != login.id)
        async with self._transaction() as connection:
            if not (await connection.execute(changed)).rowcount:
                return False
            await connection.execute(_ended(others, "a new password"))
        return True

    async def end_logins(self, user_id: str, because: str) -> None:
        """End all logins of a user."""
        async with self._statements() as connection:
            await connection.execute(_ended(logins.c.user_id == user_id, because))

    async def end_login(self, login_id: str, because: str) -> None:
        """End a login; one that has ended stays as it is."""
        async with self._statements() as connection:
            await _end(connection, login_id, because)


def _standing(now_ms: int) -> Select[*tuple[object, ...]]:
    """Select logins that have not ended, with their users."""
    return _LOGINS.where(logins.c.expires_at > now_ms)


async def _end(connection: AsyncConnection, login_id: str, because: str) -> None:
    await connection.execute(_ended(logins.c.id == login_id, because))


def _ended(which: ColumnElement[bool], because: str) -> Update:
    """Say which logins end now; those that have ended stay as they are."""
    ended = update(logins).where(which, logins.c.ended_at.is_(None))
    return ended.values(ended_at=func.now(), ended_because=because)


async def _answer_was_lost(connection: AsyncConnection, token_hash: str, now_ms: int) -> bool:
    """Take its place from the successor of a token that was used a moment ago, if that is unused.

    The successor counts as used from then on: where it had arrived, and comes, its login ends.
    """
    used = refresh_tokens.alias()
    lately = (
        select(used.c.hash)
        .where(used.c.hash == token_hash, used.c.used_at >= now_ms - AGAIN_S * 1000)
        .exists()
    )
    replaced = (
        update(refresh_tokens)
        .where(refresh_tokens.c.follows == token_hash, refresh_tokens.c.used_at.is_(None), lately)
        .values(used_at=now_ms)
        .returning(refresh_tokens.c.hash)
    )
    return (await connection.execute(replaced)).first() is not None


async def _forget_old(connection: AsyncConnection, before_ms: int) -> None:
    """Remove some logins that were over before a time, with their tokens."""
    old = (
        select(logins.c.id)
        .where(logins.c.expires_at < before_ms)
        .order_by(logins.c.expires_at)
        .limit(_FORGOTTEN)
        .with_for_update(skip_locked=True)
    )
    if ids := (await connection.execute(old)).scalars().all():
        await connection.execute(delete(refresh_tokens).where(refresh_tokens.c.login_id.in_(ids)))
        await connection.execute(delete(logins).where(logins.c.id.in_(ids)))


async def _must_do(connection: AsyncConnection, claim: Claim) -> None:
    """Hold the first user's claim against what he would take over.

    Raises:
        Forbidden: He has to show the code.
    """
    has_bots = await connection.scalar(select(select(bots.c.id).exists()))
    if claim is Claim.NONE or (claim is Claim.LOCAL and has_bots):
        raise unproven()


async def _is_empty(connection: AsyncConnection) -> bool:
    return not await connection.scalar(select(select(users.c.id).exists()))


async def _is_open(connection: AsyncConnection) -> bool:
    return bool(await connection.scalar(select(registration.c.is_open)))


def _user(row: RowMapping) -> User:
    return User.model_validate({name: row[name] for name in User.model_fields})
