"""Follows live events with many clients, in a process of its own: JSON on stdin and stdout.

Writes a line when all clients hear, and what each has heard when all has come, or time is up.
"""

import asyncio
import json
import sys
import time
from typing import Any, Final

import aiohttp

PATIENCE_S: Final = 15
"""Seconds of silence after which what has not come is lost."""


async def _heard(
    session: aiohttp.ClientSession, wanted: int, hearing: asyncio.Queue[None]
) -> list[float]:
    """Give the latency (ms) of each event that one client hears."""
    took: list[float] = []
    async with session.get("/events") as answer:
        answer.raise_for_status()
        lines = aiter(answer.content)
        while len(took) < wanted:
            try:
                line = await asyncio.wait_for(anext(lines), PATIENCE_S)
            except (TimeoutError, StopAsyncIteration):
                return took
            now_ns = time.time_ns()
            if line.startswith(b": no news") and not took:
                hearing.put_nowait(None)
            elif line.startswith(b"event: "):
                return took
            elif line.startswith(b"data: "):
                told = json.loads(line[6:])
                took.append((now_ns - int(told["figures"]["sent_ns"])) / 1e6)
    return took


async def follow(given: dict[str, Any]) -> list[list[float]]:  # Any: as JSON has it
    """Give what each client has heard."""
    headers = {"Authorization": f"Bearer {given['token']}"}
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=None)
    hearing: asyncio.Queue[None] = asyncio.Queue()
    async with aiohttp.ClientSession(
        given["url"], headers=headers, connector=connector, timeout=timeout
    ) as session:
        clients = [
            asyncio.create_task(_heard(session, given["events"], hearing))
            for _ in range(given["clients"])
        ]
        for _ in clients:
            await asyncio.wait_for(hearing.get(), 60)
        print("hearing", flush=True)
        return await asyncio.gather(*clients)


def main() -> None:
    found = asyncio.run(follow(json.loads(sys.stdin.readline())))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
