"""`oxbot events follow` on a real record: nothing is lost, nothing comes twice, Ctrl-C ends it."""

import asyncio
import json
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from oxbot.adapters.postgres.store import PostgresStore
from oxbot.cli.main import run
from tests.e2e.system_process import OXBOT
from tests.support.trading import new_bot

pytestmark = pytest.mark.critical

Json = dict[str, Any]  # Any: as JSON has it
Next = Callable[[], Awaitable[Json]]


@asynccontextmanager
async def following(url: str, *arguments: str) -> AsyncIterator[tuple[Process, Next]]:
    """The command, and what gives its next line; it is ended by Ctrl-C."""
    process = await asyncio.create_subprocess_exec(
        *OXBOT,
        *("events", "follow", "--json", *arguments),
        env={**os.environ, "DATABASE_URL": url},
        stdout=PIPE,
    )
    assert process.stdout is not None
    lines = process.stdout

    async def following_line() -> Json:
        found: Json = json.loads(await lines.readline())
        return found

    try:
        yield process, following_line
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0
        assert await lines.read() == b"", "nothing else was said"
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_what_was_missed_comes_first_then_what_happens_and_ctrl_c_ends_it(
    database_url: str, store: PostgresStore
) -> None:
    await new_bot(store)
    await store.tell("b1", "k1", "test", "missed")
    async with following(database_url, "--after", "0-0") as (_, next_line):
        created, missed = await next_line(), await next_line()
        assert (created["kind"], missed["text"]) == ("created", "missed")
        await store.tell("b1", "k2", "test", "heard")
        heard = await next_line()
        assert (heard["bot_id"], heard["text"]) == ("b1", "heard")
    async with following(database_url, "--after", missed["cursor"]) as (_, next_line):
        assert await next_line() == heard, "from there on, and not twice"


async def test_of_several_bots_only_those_are_told_that_were_named(
    database_url: str, store: PostgresStore
) -> None:
    for bot_id in ("b1", "b2", "b3"):
        await new_bot(store, bot_id)
    for named in (("b3",), ("b1", "b3")):
        async with following(database_url, *named, "--after", "0-0") as (_, next_line):
            assert tuple([(await next_line())["bot_id"] for _ in named]) == named


async def test_it_ends_by_itself_when_nobody_reads_any_more(
    database_url: str, store: PostgresStore
) -> None:
    await new_bot(store)
    piped = f"{' '.join(OXBOT)} events follow --after 0-0 | head -1; echo ${{PIPESTATUS[0]}}"
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", piped), env={**os.environ, "DATABASE_URL": database_url}, stdout=PIPE
    )
    said, _ = await process.communicate()
    told, code = said.decode().splitlines()
    assert "created: Test begins" in told
    assert code == "0"


def test_what_is_no_cursor_no_bot_or_no_record_is_told_at_once(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    assert run(["events", "follow", "--after", "yesterday"]) == 2
    assert "is no cursor" in capsys.readouterr().err
    assert run(["events", "follow", "nobody"]) == 3
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:9/oxbot")
    assert run(["events", "follow"]) == 5
    assert "PostgreSQL does not answer" in capsys.readouterr().err
