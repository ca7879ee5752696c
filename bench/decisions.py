"""What a decision costs besides the model's own time, and how long a prompt is.

- prompt_ms: making the prompt of five held coins with much to tell.
- parse_ms: reading a reply on five coins with long texts.
- overhead_ms: `decide` in full less the time of the provider's client: facts from real PostgreSQL
  and Redis, prompt, breaker, parsing, and the decision on record.
- client_ms: DashScope's own client against the model server on this machine, which answers by a
  rule and within a few milliseconds.
- prompt_tokens: of that prompt by Qwen's own tokenizer, in all and by part.

Compare figures of one run with each other; absolute times say more about the machine.
"""

import argparse
import asyncio
import json
import os
import platform
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

from dashscope import get_tokenizer
from pydantic import SecretStr

from infra.migrations import upgrade
from oxbot.adapters.venue_control import VenueControl
from oxbot.app.decide import decide
from oxbot.app.observe import observe_market
from oxbot.app.ports import Ports
from oxbot.app.prompt import build_request, parts_of
from oxbot.app.prompt.constant import CONSTANT
from oxbot.bootstrap import open_ports
from oxbot.bootstrap.exchange import venue_of
from oxbot.domain.bot import DEFAULT_SYMBOLS, BotSettings
from oxbot.domain.decision import Action, Decision, Proposal, parse_decision
from oxbot.domain.market import CANDLE_MS
from oxbot.domain.models import DASHSCOPE, ModelChoice
from oxbot.embedded import postgres, redis
from oxbot.embedded.servers import embedded_servers
from oxbot.logs import configure_logs
from oxbot.messages import Decide, ObserveMarket
from oxbot.ports import ChatModel
from oxbot.records import ModelReply, ModelRequest
from oxbot.settings import Settings

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests' example of a long prompt
from tests.support.prompts import INVALIDATION, REASON, busy_brief

BOT = "bench"
PATIENCE_S = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decisions", type=int, default=200)
    parser.add_argument("--json", action="store_true", help="only the JSON line")
    asked = parser.parse_args()
    configure_logs("json", "error")
    print(json.dumps({**_prompt(), **asyncio.run(_measured(asked.decisions))}))


def _prompt() -> dict[str, object]:
    """Time the making of a prompt and the reading of a reply, and count tokens."""
    brief, tokenizer = busy_brief(), get_tokenizer("qwen-max")
    text = _reply()
    parts = {"constant": [CONSTANT], **parts_of(brief)}
    by_part = {name: len(tokenizer.encode("\n".join(lines))) for name, lines in parts.items()}
    whole = sum(len(tokenizer.encode(told)) for _, told in build_request(brief).messages)
    return {
        "benchmark": "decisions",
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "versions": {name: version(name) for name in ("dashscope", "pydantic", "sqlalchemy")},
        "durability": "PostgreSQL: fsync on",
        "prompt_ms": _spread(_times(lambda: build_request(brief))),
        "parse_ms": _spread(_times(lambda: parse_decision(text, DEFAULT_SYMBOLS))),
        "prompt_tokens": {"all": whole, **by_part},
    }


def _reply() -> str:
    proposals = tuple(
        Proposal.model_validate(
            {
                "symbol": symbol,
                "action": Action.BUY,
                "confidence": "0.81",
                "expected_move": "0.024",
                "stop_price": "1234.5",
                "reason": REASON,
                "invalidation": INVALIDATION,
            }
        )
        for symbol in DEFAULT_SYMBOLS
    )
    return Decision(proposals=proposals, summary=REASON).model_dump_json()


def _times(work: Callable[[], object], count: int = 300) -> list[float]:
    """Give how long some work takes, in ms, after it has been done once."""
    work()
    times = []
    for _ in range(count):
        begun = time.perf_counter()
        work()
        times.append((time.perf_counter() - begun) * 1000)
    return times


@dataclass
class Timed:
    """A model whose client's time is noted, in ms."""

    inner: ChatModel
    took: list[float] = field(default_factory=list)

    def label(self, choice: ModelChoice) -> str:
        return self.inner.label(choice)

    def named(self, choice: ModelChoice) -> ModelChoice:
        return self.inner.named(choice)

    def is_priced(self, choice: ModelChoice) -> bool:
        return self.inner.is_priced(choice)

    async def complete(self, request: ModelRequest) -> ModelReply:
        begun = time.perf_counter()
        reply = await self.inner.complete(request)
        self.took.append((time.perf_counter() - begun) * 1000)
        return reply


async def _measured(decisions: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="oxbot-bench-") as home:
        settings = Settings(home=Path(home), log_level="error")
        names = (postgres.NAME, redis.NAME)
        async with (
            embedded_servers(settings, lambda _line: None, names) as addresses,
            _process("oxbot.simulator", "--mode", "stepped", "--no-rate-limits") as simulator,
            _process("oxbot.model_server") as models,
        ):
            await asyncio.to_thread(upgrade, addresses.database_url)
            found = settings.model_copy(
                update={
                    "database_url": addresses.database_url,
                    "redis_url": addresses.redis_url,
                    "temporal_address": "127.0.0.1:1",
                    "simulator_url": simulator,
                    "dashscope_url": models,
                    "dashscope_api_key": SecretStr("bench"),
                }
            )
            async with open_ports(found) as ports, VenueControl(simulator) as venue:
                timed = Timed(ports.model(DASHSCOPE))
                known = replace(ports, models={DASHSCOPE: timed})
                bot = BotSettings(name=BOT, venue=venue_of(found), provider=DASHSCOPE)
                await known.store.create_bot(BOT, bot, 1)
                await known.store.reserve_cycles(BOT, "chain", "run", decisions + 2)
                wholes = [await _decided(known, venue, n) for n in range(1, decisions + 2)][1:]
    own = timed.took[1:]
    overheads = [whole - took for whole, took in zip(wholes, own, strict=True)]
    return {
        "overhead_p99_ms": round(statistics.quantiles(overheads, n=100)[98], 1),
        "overhead_ms": _spread(overheads),
        "client_ms": _spread(own),
    }


async def _decided(ports: Ports, venue: VenueControl, cycle: int) -> float:
    """Let a bot decide in a cycle that has just seen the market; give how long that took in ms."""
    tick_ms = ((await venue.time()).venue_ms // CANDLE_MS + 1) * CANDLE_MS
    await venue.advance_to(tick_ms)
    seeing = ObserveMarket(bot_id=BOT, incarnation=1, cycle=cycle, due_ms=tick_ms)
    await observe_market(ports, seeing)
    begun = time.perf_counter()
    brief = await decide(ports, Decide(bot_id=BOT, cycle=cycle))
    took_ms = (time.perf_counter() - begun) * 1000
    if brief.failed:
        sys.exit(f"Cycle {cycle} has no decision: {brief.failed}")
    return took_ms


@asynccontextmanager
async def _process(module: str, *arguments: str) -> AsyncIterator[str]:
    """Run one of the servers of the project on a free port; give its address."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = (sys.executable, "-P", "-m", module, "--port", str(port), *arguments)
    silent = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdout=silent, stderr=silent)
    try:
        await _until_listening(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def _until_listening(port: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return


def _spread(figures: Sequence[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(figures), 2),
        "min": round(min(figures), 2),
        "max": round(max(figures), 2),
        "samples": len(figures),
    }


if __name__ == "__main__":
    main()
