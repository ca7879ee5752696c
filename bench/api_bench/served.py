"""An embedded PostgreSQL in a scratch directory, and one API process on it."""

import asyncio
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import httpx
import psutil

from api_bench.plan import NAME, PASSWORD
from infra.migrations import upgrade
from oxbot.domain.users import first_code
from oxbot.embedded import postgres
from oxbot.embedded.servers import embedded_servers
from oxbot.settings import Settings

ROOT: Final = Path(__file__).parent.parent.parent
NOWHERE: Final = "127.0.0.1:9"
"""Nobody listens there: what is measured needs PostgreSQL alone."""

START_S: Final = 60


@asynccontextmanager
async def a_record(home: Path) -> AsyncIterator[str]:
    """Give the address of a migrated database, for as long as the block runs."""
    settings = Settings(home=home, redis_url=f"redis://{NOWHERE}", temporal_address=NOWHERE)
    silent = settings.model_copy(update={"database_url": None})
    async with embedded_servers(silent, lambda _: None, (postgres.NAME,)) as addresses:
        await asyncio.to_thread(upgrade, addresses.database_url)
        yield addresses.database_url


@contextmanager
def an_api(database_url: str, home: Path) -> Iterator[tuple[str, str, psutil.Process]]:
    """Give address and token of an API process, and the process, for as long as the block runs."""
    secret = secrets.token_hex(32)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "REDIS_URL": f"redis://{NOWHERE}",
        "TEMPORAL_ADDRESS": NOWHERE,
        "OXBOT_HOME": str(home),
        "OXBOT_API_PORT": str(port),
        "OXBOT_API_SECRET": secret,
        "OXBOT_LOG_LEVEL": "error",
    }
    command = [sys.executable, "-m", "api"]
    process = subprocess.Popen(command, env=environment, cwd=ROOT)
    try:
        url = f"http://127.0.0.1:{port}"
        _until_ready(url, process)
        yield url, _token(url, first_code(secret)), psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        if process.poll() is not None:
            sys.exit(f"The API ended with {process.returncode}.")
        try:
            httpx.get(f"{url}/healthz", timeout=5)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    sys.exit(f"The API did not answer within {START_S} s.")


def _token(url: str, code: str) -> str:
    """Register the administrator, and give a token of theirs."""
    body = {"name": NAME, "password": PASSWORD}
    httpx.post(f"{url}/register", json={**body, "code": code}, timeout=60).raise_for_status()
    answer = httpx.post(f"{url}/login", json=body, timeout=60).raise_for_status()
    return str(answer.json()["access_token"])
