"""What a start would find: present, missing, and how to get it."""

import asyncio
import os
import platform
import re
import shutil
import sys
from dataclasses import dataclass

from oxbot.domain.errors import SetupError
from oxbot.domain.models import SET_UP_BY
from oxbot.embedded import apps, binaries, ports, reach, servers, temporal_binary, temporal_ways
from oxbot.embedded.addresses import Running, find_running
from oxbot.embedded.child import run_to_end
from oxbot.embedded.paths import DataDirectory
from oxbot.settings import Settings

LEAST_FREE_MB = 500
"""An empty system takes 70 MB; below this a start is not worth trying."""

PYTHONS = ((3, 11), (3, 12))
"""Versions that the packages come for."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Args:
        name: What it is.
        ok: It is as a start needs it.
        detail: What was found, or what is wrong and how to mend it.
        needed: A start fails without it.
    """

    name: str
    ok: bool
    detail: str
    needed: bool = True


async def examine(settings: Settings) -> list[Finding]:
    """Look at everything that `oxbot up` needs with these settings."""
    running = find_running(settings.home)
    looks = [
        _system(settings, running),
        _python(),
        _temporal(settings),
        _go(),
        _postgres(settings),
        _redis(settings),
        *(_port(wanted, running) for wanted in _ports(settings)),
        _data_directory(settings),
        _exchange(settings),
        _models(settings),
    ]
    return list(await asyncio.gather(*looks))


def can_start(findings: list[Finding]) -> bool:
    """Whether nothing that is needed is missing."""
    return all(finding.ok for finding in findings if finding.needed)


async def _system(settings: Settings, running: Running | None) -> Finding:
    home = DataDirectory.of(settings.home).root
    if running is None:
        return Finding("system", ok=True, detail=f"none runs on {home}", needed=False)
    said = f"runs on {home} (process {running.pid}, API {running.addresses.api})"
    return Finding("system", ok=True, detail=said, needed=False)


async def _python() -> Finding:
    version = platform.python_version()
    if sys.version_info[:2] in PYTHONS:
        return Finding("Python", ok=True, detail=f"{version} ({sys.executable})")
    return Finding("Python", ok=False, detail=f"{version}; 0xBot needs Python 3.11 or 3.12")


async def _temporal(settings: Settings) -> Finding:
    if settings.temporal_address:
        url = f"temporal://{settings.temporal_address}"
        return await _given("Temporal", "TEMPORAL_ADDRESS", url)
    if found := await temporal_binary.find():
        return Finding("Temporal", ok=True, detail=f"{found.version}, {found.source}: {found.path}")
    missing = "not on PATH, nor in the user's cache"
    if shutil.which("go") or await reach.answers(temporal_ways.DOWNLOADS):
        how = "the first start downloads it, or builds it with Go (about 3 minutes)"
        return Finding("Temporal", ok=True, detail=f"{missing}: {how}")
    return Finding("Temporal", ok=False, detail=f"{missing}. {temporal_binary.HOW_TO_GET_IT}")


async def _go() -> Finding:
    go = shutil.which("go")
    if go is None:
        detail = "not installed; only needed to build Temporal where it cannot be downloaded"
        return Finding("Go", ok=False, detail=f"{detail} (https://go.dev/dl)", needed=False)
    _, version = await run_to_end((go, "version"))
    return Finding("Go", ok=True, detail=version.strip(), needed=False)


async def _postgres(settings: Settings) -> Finding:
    if settings.database_url:
        return await _given("PostgreSQL", "DATABASE_URL", settings.database_url)
    try:
        programs = binaries.postgres_binaries()
        prefix = await asyncio.to_thread(binaries.rootless_prefix)
    except SetupError as error:
        return Finding("PostgreSQL", ok=False, detail=str(error))
    _, version = await run_to_end((str(programs / "postgres"), "--version"))
    how = ", as an ordinary user by unshare, since we are root" if prefix else ""
    return Finding("PostgreSQL", ok=True, detail=f"{version.strip()}{how}")


async def _redis(settings: Settings) -> Finding:
    if settings.redis_url:
        return await _given("Redis", "REDIS_URL", settings.redis_url)
    try:
        found = binaries.redis_binary()
    except SetupError as error:
        return Finding("Redis", ok=False, detail=str(error))
    _, version = await run_to_end((str(found.path), "--version"))
    return Finding("Redis", ok=True, detail=f"{_number(version)}, {found.source}")


def _number(said: str) -> str:
    """`Redis server v=7.0.15 sha=...` without what nobody asked for."""
    found = re.search(r"v=(\S+)", said)
    return found[1] if found else said.strip()


async def _given(name: str, variable: str, url: str) -> Finding:
    """A server whose address is in the environment."""
    try:
        await reach.check_given(variable, url)
    except SetupError as error:
        return Finding(name, ok=False, detail=str(error))
    return Finding(name, ok=True, detail=f"given by {variable}, accepts connections")


def _ports(settings: Settings) -> list[ports.Wanted]:
    return servers.wanted_ports(settings) + apps.wanted_ports(
        settings, with_simulator=True, with_model_server=True
    )


async def _port(wanted: ports.Wanted, running: Running | None) -> Finding:
    """The ports of the simulator and the model server are needed by some starts only."""
    name = f"port {wanted.port}"
    needed = wanted.variable not in ("OXBOT_SIMULATOR_PORT", "OXBOT_MODEL_SERVER_PORT")
    problem = ports.problem(wanted)
    if problem is None:
        return Finding(name, ok=True, detail=f"free for {wanted.purpose}", needed=needed)
    if running is not None and f":{wanted.port}" in str(running.addresses):
        return Finding(
            name, ok=True, detail=f"{wanted.purpose} of the running system", needed=False
        )
    return Finding(name, ok=False, detail=problem, needed=needed)


async def _data_directory(settings: Settings) -> Finding:
    """Looked at without being made."""
    home = DataDirectory.of(settings.home).root
    existing = next(path for path in (home, *home.parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        what = f"{existing} cannot be written; set OXBOT_HOME to a directory of yours"
        return Finding("data directory", ok=False, detail=what)
    free_mb = shutil.disk_usage(existing).free // 1_000_000
    if free_mb < LEAST_FREE_MB:
        what = f"only {free_mb} MB are free on the disk of {home}; {LEAST_FREE_MB} are advised"
        return Finding("data directory", ok=False, detail=what)
    return Finding("data directory", ok=True, detail=f"{home}, {free_mb / 1000:.0f} GB free")


async def _models(settings: Settings) -> Finding:
    """Only information: the baseline needs nothing. Nobody is asked, since that may cost money."""
    usable = settings.model_providers
    others = "; ".join(f"{name}: {how}" for name, how in SET_UP_BY.items() if name not in usable)
    detail = f"{', '.join(sorted(usable))} can be asked" + (f"; {others}" if others else "")
    return Finding("models", ok=True, detail=detail, needed=False)


async def _exchange(settings: Settings) -> Finding:
    """Only information: the simulator needs no exchange."""
    url = settings.simulator_url or settings.okx_address
    problem = await reach.exchange_problem(url)
    if problem is None:
        return Finding("OKX", ok=True, detail=f"answers at {url}", needed=False)
    what = f"does not answer ({problem}); `oxbot up --simulator` needs none"
    return Finding("OKX", ok=False, detail=what, needed=False)
