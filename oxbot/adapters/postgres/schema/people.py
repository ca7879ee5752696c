"""The tables of users: who they are, their logins, and the tokens that keep a login."""

from typing import Final

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Table, Text, true

from oxbot.adapters.postgres.columns import Milliseconds
from oxbot.adapters.postgres.schema.base import metadata, now

users: Final = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True, comment="small letters"),
    Column("password_hash", Text, nullable=False, comment="Argon2id"),
    Column("is_admin", Boolean, nullable=False),
    now("created_at"),
)

logins: Final = Table(
    "logins",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", ForeignKey("users.id"), nullable=False),
    Column("opened_at", Milliseconds, nullable=False),
    Column("expires_at", Milliseconds, nullable=False),
    Column("ended_at", Milliseconds),
    Column("ended_because", Text),
    CheckConstraint("(ended_at IS NULL) = (ended_because IS NULL)", name="ended"),
    Index("ix_logins_user_id", "user_id"),
    Index("ix_logins_expires_at", "expires_at"),
)

refresh_tokens: Final = Table(
    "refresh_tokens",
    metadata,
    Column("hash", Text, primary_key=True, comment="SHA-256"),
    Column("login_id", ForeignKey("logins.id"), nullable=False),
    now("issued_at"),
    Column("used_at", Milliseconds, comment="used again, it ends its login"),
    Column("follows", Text, comment="hash of the one that gave its place to it"),
    Index("ix_refresh_tokens_login_id", "login_id"),
    Index("ix_refresh_tokens_follows", "follows"),
)

# One row at most: while there is none, only the first user registers.
registration: Final = Table(
    "registration",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=true()),
    Column("is_open", Boolean, nullable=False),
    CheckConstraint("one", name="one"),
)
