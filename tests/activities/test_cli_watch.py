"""`oxbot bots watch` on a real record; Temporal and Redis are away."""

import asyncio
import json
import os
import signal
import subprocess
from typing import Any

import pexpect
import pytest

from oxbot.adapters.postgres.store import PostgresStore
from tests.e2e.system_process import OXBOT
from tests.support.trading import bought, new_bot

NOWHERE = "127.0.0.1:9"


def environment(database: str) -> dict[str, str]:
    servers = {
        "DATABASE_URL": database,
        "REDIS_URL": f"redis://{NOWHERE}",
        "TEMPORAL_ADDRESS": NOWHERE,
    }
    return {**os.environ, **servers}


async def ran(database: str, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    return await asyncio.to_thread(
        subprocess.run,
        [*OXBOT, *arguments],
        env={**environment(database), **more},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
async def record(store: PostgresStore, database_url: str) -> str:
    """Where two bots are on record, of which one holds something."""
    await new_bot(store, "b1")
    await new_bot(store, "b2")
    await bought(store, "b1")
    return database_url


async def test_without_a_terminal_a_look_is_one_line_of_json_and_comes_from_the_record(
    record: str,
) -> None:
    once = await ran(record, "bots", "watch", "--once")
    assert once.returncode == 0, once.stderr
    (line,) = once.stdout.splitlines()
    bots: list[dict[str, Any]] = json.loads(line)["bots"]
    assert [bot["id"] for bot in bots] == ["b1", "b2"]
    assert [position["symbol"] for position in bots[0]["positions"]] == ["BTC/USDT"]
    assert all(bot["unanswered"] for bot in bots)


async def test_only_who_is_named_is_watched_and_a_stranger_is_not_found(record: str) -> None:
    once = await ran(record, "bots", "watch", "b2", "--once", "--json")
    assert [bot["id"] for bot in json.loads(once.stdout)["bots"]] == ["b2"]
    strange = await ran(record, "bots", "watch", "b9", "--once", "--json")
    assert (strange.returncode, json.loads(strange.stderr)["error"]) == (3, "NotFound")


async def test_on_a_terminal_it_goes_on_until_ctrl_c_which_is_no_failure(
    record: str,
) -> None:
    shown, code = await asyncio.to_thread(watched, record)
    assert shown.count("2 bots") >= 2
    assert "Traceback" not in shown
    assert code == 0


def watched(database: str) -> tuple[str, int | None]:
    child = pexpect.spawn(
        OXBOT[0],
        [*OXBOT[1:], "bots", "watch", "--every", "0.2"],
        env=environment(database),
        dimensions=(30, 60),
        encoding="utf-8",
        timeout=120,
    )
    shown = ""
    for _ in range(2):
        child.expect("2 bots")
        shown += str(child.before) + str(child.after)
    child.kill(signal.SIGINT)
    child.expect(pexpect.EOF)
    child.close()
    return shown + str(child.before), child.exitstatus


async def test_the_shell_completes_ids_of_bots_from_the_record(record: str) -> None:
    asked = {"COMP_WORDS": "oxbot bots pause b", "COMP_CWORD": "3"}
    asked["_OXBOT_COMPLETE"] = "complete_bash"
    assert sorted((await ran(record, **asked)).stdout.split()) == ["b1", "b2"]
    away = await ran(f"postgresql://{NOWHERE}/oxbot", **asked)
    assert away.stdout.split() == away.stderr.split() == []
