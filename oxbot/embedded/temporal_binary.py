"""Where Temporal's program comes from: PATH, the user's cache, a download, Go."""

import asyncio
import contextlib
import os
import re
import shutil
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from oxbot.domain.errors import SetupError
from oxbot.embedded.lock import try_lock
from oxbot.embedded.temporal_ways import VERSION, NotThisWay, download, go_install

LOCK_POLL_S = 0.5
"""Between two looks at whether another process has finished fetching, in seconds."""

Way = Callable[[Path, Callable[[str], None]], Awaitable[Path]]
"""Brings the program into a scratch directory, or raises NotThisWay."""

WAYS: dict[str, Way] = {"download": download, "Go": go_install}
"""What is tried, in this order."""

HOW_TO_GET_IT = (
    "Install the Temporal CLI (https://docs.temporal.io/cli), or Go 1.25 or later "
    "(https://go.dev/dl), or set TEMPORAL_ADDRESS to a running server."
)
"""What a person can do when no way leads to the program."""


@dataclass(frozen=True)
class TemporalBinary:
    """The `temporal` program.

    Args:
        path: Where it is.
        source: Where it was found, for people.
        version: What it says about itself.
    """

    path: Path
    source: str
    version: str

    @property
    def server(self) -> tuple[int, ...]:
        """Version of the server inside, such as (1, 29, 1); empty when it does not say."""
        found = re.search(r"Server (\d+(?:\.\d+)*)", self.version)
        return tuple(int(part) for part in found[1].split(".")) if found else ()


def cached_path() -> Path:
    """Where the program is kept for all of the user's checkouts."""
    return platformdirs.user_cache_path("oxbot") / "temporal" / VERSION / "temporal"


async def find() -> TemporalBinary | None:
    """The program on PATH, else the cached one; only if it runs."""
    on_path = shutil.which("temporal")
    candidates = [(Path(on_path), "on PATH")] if on_path else []
    candidates.append((cached_path(), "the user's cache"))
    for path, source in candidates:
        if version := await _version(path):
            return TemporalBinary(path, source, version)
    return None


async def _version(path: Path) -> str | None:
    """What `temporal --version` answers; None if it does not run."""
    try:
        process = await asyncio.create_subprocess_exec(
            str(path), "--version", stdin=DEVNULL, stdout=PIPE, stderr=STDOUT
        )
    except OSError:
        return None
    try:
        async with asyncio.timeout(20):
            output, _ = await process.communicate()
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return output.decode(errors="replace").strip() if process.returncode == 0 else None


async def obtain(announce: Callable[[str], None]) -> TemporalBinary:
    """Find the program, else fetch it into the cache.

    Raises:
        SetupError: No way led to it; the message names each.
    """
    if found := await find():
        return found
    target = cached_path()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        async with _only_one(target.with_name("lock"), announce):
            return await find() or await _fetch(target, announce)
    except OSError as error:
        raise SetupError(
            f"Temporal's program cannot be kept in {target.parent} ({error.strerror or error}). "
            f"Make room or make it writable, or put `temporal` on PATH."
        ) from error


async def _fetch(target: Path, announce: Callable[[str], None]) -> TemporalBinary:
    """Try each way in turn."""
    failures = []
    for name, way in WAYS.items():
        try:
            return await _fetch_by(name, way, target, announce)
        except NotThisWay as error:
            announce(f"No Temporal by {name}: {error}")
            failures.append(str(error))
    raise SetupError(
        f"Temporal's server is missing: `temporal` is not on PATH, {', and '.join(failures)}. "
        f"{HOW_TO_GET_IT}"
    )


async def _fetch_by(
    name: str, way: Way, target: Path, announce: Callable[[str], None]
) -> TemporalBinary:
    """Fetch aside, and put the program in place when it is whole and runs."""
    scratch = target.with_name(f"fetching-{name.lower()}")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    try:
        fetched = await way(scratch, announce)
        version = await _version(fetched)
        if version is None:
            raise NotThisWay(f"what {name} brought does not run here")
        fetched.replace(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return TemporalBinary(target, f"fetched by {name}", version)


@contextlib.asynccontextmanager
async def _only_one(lock: Path, announce: Callable[[str], None]) -> AsyncIterator[None]:
    """Let one process of this user fetch at a time; the others wait for what it brings."""
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        waiting = False
        while not try_lock(handle):
            if not waiting:
                announce("Another 0xBot is fetching Temporal's server: waiting for it")
                waiting = True
            await asyncio.sleep(LOCK_POLL_S)
        yield
    finally:
        os.close(handle)
