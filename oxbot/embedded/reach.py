"""Is somebody there? Plain connections, before anything depends on them."""

import asyncio
import json
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from oxbot.domain.errors import SetupError

PATIENCE_S = 5.0
"""Seconds that a server has to answer."""

DEFAULT_PORTS = {"temporal": 7233, "postgresql": 5432, "redis": 6379, "rediss": 6379}
"""TCP ports of addresses that name none."""

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Without the proxy of the environment: for our own servers on loopback."""


def get_object(url: str) -> dict[str, object]:
    """One GET of a server on this machine that answers with a JSON object.

    Raises:
        OSError: Nobody answers, or with an HTTP error.
    """
    with _direct.open(url, timeout=PATIENCE_S) as answer:
        content: object = json.load(answer)
    return content if isinstance(content, dict) else {}


async def listens(host: str, port: int) -> bool:
    """Whether a TCP connection is accepted.

    Raises:
        OSError: It is not.
    """
    _, writer = await asyncio.open_connection(host, port)
    writer.close()
    await writer.wait_closed()
    return True


async def check_given(variable: str, url: str) -> None:
    """Make sure that a server whose address was given accepts connections.

    Args:
        variable: The environment variable that gave it.
        url: `scheme://host:port/...`; one without a host (a unix socket) is left to its driver.

    Raises:
        SetupError: Nobody accepts a connection there.
    """
    parts = urlsplit(url)
    scheme = parts.scheme.partition("+")[0]
    port = parts.port or DEFAULT_PORTS.get(scheme)
    if not parts.hostname or not port:
        return
    try:
        async with asyncio.timeout(PATIENCE_S):
            await listens(parts.hostname, port)
    except OSError as error:
        raise SetupError(
            f"{variable} is set, and nobody accepts connections at {parts.hostname}:{port} "
            f"({_reason(error)}). Start that server, or unset {variable} to use the "
            f"embedded one."
        ) from None


async def answers(url: str) -> bool:
    """Whether somebody answers HTTP at `url`, with whatever status."""
    try:
        await asyncio.to_thread(_get, url)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


async def exchange_problem(base_url: str) -> str | None:
    """Why OKX's API at `base_url` does not answer; None when it does."""
    url = f"{base_url.rstrip('/')}/api/v5/public/time"
    try:
        answer = await asyncio.to_thread(_okx_get, url)
    except (OSError, ValueError) as error:
        return f"{url}: {_reason(error)}"
    return None if answer.get("code") == "0" else f"{url}: unexpected answer"


def _okx_get(url: str) -> dict[str, object]:
    content: object = json.loads(_get(url))
    return content if isinstance(content, dict) else {}


def _get(url: str) -> bytes:
    """The start of an answer; through the environment's proxy, if there is one.

    With a name of our own, since some exchanges refuse urllib's.
    """
    request = urllib.request.Request(url, headers={"User-Agent": "oxbot"})  # noqa: S310 - a setting
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310 - a setting
        content: bytes = answer.read(100_000)
    return content


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {PATIENCE_S:g} s"
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP status {error.code}"
    if isinstance(error, urllib.error.URLError):
        return str(error.reason)
    return str(error)
