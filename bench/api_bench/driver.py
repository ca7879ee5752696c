"""Asks open-loop, in a process of its own: a load as JSON on stdin, what came of it on stdout."""

import asyncio
import json
import sys
import time
from typing import Any, Final

import aiohttp

from api_bench.plan import WARM_UP, Load, path_of

LEAD_S: Final = 0.2
TIMEOUT_S: Final = 30
AT_ONCE: Final = 8


async def drive(load: Load, token: str) -> list[dict[str, Any]]:  # Any: as JSON has it
    """Send each request when it is due; give kind, latency in ms and status of each."""
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    connector = aiohttp.TCPConnector(limit=0)
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(
        load.url, connector=connector, timeout=timeout, headers=headers
    ) as session:
        for first in range(0, WARM_UP, AT_ONCE):  # connections, plans and caches come once
            numbers = range(first, first + AT_ONCE)
            await asyncio.gather(*(_ask(session, load, n, time.perf_counter()) for n in numbers))
        begin = time.perf_counter() + LEAD_S
        asked = []
        for number in range(load.requests):
            due = begin + number / load.rate
            await asyncio.sleep(max(0, due - time.perf_counter()))
            asked.append(asyncio.create_task(_ask(session, load, number, due)))
        return await asyncio.gather(*asked)


async def _ask(
    session: aiohttp.ClientSession, load: Load, number: int, due: float
) -> dict[str, Any]:
    kind, path = path_of(number, load)
    try:
        async with session.get(path) as answer:
            size = len(await answer.read())
            status = answer.status
    except (aiohttp.ClientError, TimeoutError):
        status = size = 0
    took_ms = (time.perf_counter() - due) * 1000
    return {"number": number, "kind": kind, "ms": took_ms, "status": status, "bytes": size}


def main() -> None:
    given = json.load(sys.stdin)
    found = asyncio.run(drive(Load(**given["load"]), given["token"]))
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
