"""How long an event takes from its transaction to every client that follows."""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text

from api_bench.figures import percentile
from api_bench.plan import Load, bot_id
from oxbot.adapters.postgres.engine import open_engine

BENCH: Final = Path(__file__).parent.parent
TOLD: Final = text(
    "INSERT INTO events (bot_id, key, kind, text, figures)"
    " VALUES (:bot_id, :key, 'opened', 'Opened.',"
    " jsonb_build_object('sent_ns', CAST(:sent_ns AS text)))"
)


async def followed(database_url: str, load: Load, token: str) -> dict[str, Any]:  # Any: as JSON
    """Have clients follow, tell events one after the other, and sum up what was heard."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "api_bench.followers"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=BENCH,
        limit=2**26,
    )
    if process.stdin is None or process.stdout is None:
        sys.exit("The clients' process has no pipes.")
    given = {"url": load.url, "token": token, "clients": load.clients, "events": load.events}
    process.stdin.write(json.dumps(given).encode() + b"\n")
    if await process.stdout.readline() != b"hearing\n":
        sys.exit(f"The clients do not hear; their process ended with {await process.wait()}.")
    await _tell(database_url, load)
    heard = json.loads(await process.stdout.readline())
    await process.wait()
    return _summed_up(heard, load)


async def _tell(database_url: str, load: Load) -> None:
    """Write so many events a second; each has the time just before it was written."""
    engine = open_engine(database_url, pool_size=1)
    begin = time.perf_counter()
    for number in range(load.events):
        await asyncio.sleep(max(0, begin + number / load.events_a_second - time.perf_counter()))
        async with engine.begin() as connection:
            row = {"bot_id": bot_id(1 + number % load.bots), "key": f"bench:{number}"}
            await connection.execute(TOLD, {**row, "sent_ns": str(time.time_ns())})
    await engine.dispose()


def _summed_up(heard: list[list[float]], load: Load) -> dict[str, Any]:
    took = [each for client in heard for each in client]
    if not took:
        return {"events_lost": load.clients * load.events}
    return {
        "event_p99_ms": round(percentile(took, 0.99), 1),
        "event_p50_ms": round(percentile(took, 0.5), 1),
        "event_max_ms": round(max(took), 1),
        "events_heard": len(took),
        "events_lost": load.clients * load.events - len(took),
    }
