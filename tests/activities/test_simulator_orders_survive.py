"""What was answered about accounts and orders survives a kill of the simulator."""

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import ccxt.async_support as ccxt
import pytest
from aiohttp import ClientSession

from tests.support.simulated_account import SYMBOL, Json, account, okx_client
from tests.support.simulator_process import COMMAND, running

ENOUGH = 15
"""Orders in a round before the server is killed."""


@asynccontextmanager
async def client_of(url: object) -> AsyncIterator[ccxt.okx]:
    okx = okx_client(str(url))
    await okx.load_time_difference()
    await okx.load_markets()
    try:
        yield okx
    finally:
        await okx.close()


async def made(url: object) -> int:
    async with ClientSession() as session:
        answer = await session.post(f"{url}/control/accounts", json=account())
        return answer.status


async def log_of(url: object) -> list[Json]:
    async with ClientSession() as session, session.get(f"{url}/control/log") as answer:
        content: dict[str, list[Json]] = await answer.json()
        return content["events"]


@pytest.mark.critical
async def test_orders_fills_and_balances_survive_a_kill(tmp_path: Path) -> None:
    arguments = ("--mode", "stepped", "--no-rate-limits", "--state", str(tmp_path / "s.json"))
    with running(*arguments) as (process, said):
        await made(said["url"])
        async with client_of(said["url"]) as okx:
            resting = await okx.create_order(SYMBOL, "limit", "buy", 0.01, 50_000, {"clOrdId": "r"})
            await okx.create_order(SYMBOL, "market", "sell", 0.1, None, {"clOrdId": "m"})
            seen = await okx.fetch_balance(), await okx.fetch_my_trades(SYMBOL)
            log = await log_of(said["url"])
            process.send_signal(signal.SIGKILL)
    with running(*arguments) as (_, said):
        assert await made(said["url"]) == 200
        async with client_of(said["url"]) as okx:
            assert (await okx.fetch_balance(), await okx.fetch_my_trades(SYMBOL)) == seen
            (still,) = await okx.fetch_open_orders(SYMBOL)
            assert still["id"] == resting["id"]
            with pytest.raises(ccxt.InvalidOrder, match="51016"):
                await okx.create_order(SYMBOL, "limit", "buy", 0.01, 50_000, {"clOrdId": "r"})
        again = await log_of(said["url"])
        assert again[: len(log)] == log
        assert [event["event"] for event in again[len(log) :]] == ["refused"]


async def test_what_a_kill_left_unfinished_is_taken_away(tmp_path: Path) -> None:
    arguments = ("--mode", "stepped", "--no-rate-limits", "--state", str(tmp_path / "s.json"))
    with running(*arguments) as (_, said):
        await made(said["url"])
        log = await log_of(said["url"])
    file = tmp_path / "s.log.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole + whole[: len(whole) // 2].strip())
    with running(*arguments) as (_, said):
        assert await log_of(said["url"]) == log
        assert file.read_bytes() == whole
    with running(*arguments, "--fresh") as (_, said):
        assert await log_of(said["url"]) == []


def test_a_file_that_is_no_log_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "s.log.jsonl"
    file.write_text("[{}]\n")
    command = [*COMMAND, "--port", "0", "--state", str(tmp_path / "s.json")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr == (
        f"{file} does not hold the log of an earlier run. Begin anew with --fresh.\n"
    )


@pytest.mark.critical
async def test_whatever_was_acknowledged_is_there_after_a_kill_at_any_moment(
    tmp_path: Path,
) -> None:
    """Orders are placed one after the other until the answer does not come."""
    arguments = ("--rate", "60", "--no-rate-limits", "--state", str(tmp_path / "s.json"))
    acknowledged: list[str] = []
    for round_number in range(3):
        with running(*arguments) as (process, said):
            await made(said["url"])
            async with client_of(said["url"]) as okx:
                enough = asyncio.Event()
                placing = asyncio.ensure_future(place_on(okx, round_number, acknowledged, enough))
                await enough.wait()
                process.send_signal(signal.SIGKILL)
                with pytest.raises(ccxt.NetworkError):
                    await placing
    with running(*arguments) as (_, said):
        log = await log_of(said["url"])
        taken = [event["clOrdId"] for event in log if event["event"] == "order"]
        assert len(set(taken)) == len(taken)
        assert set(acknowledged) <= set(taken)
        # Of each round one at most was taken and could not be acknowledged any more.
        assert len(taken) - len(acknowledged) <= 3
        assert [event["seq"] for event in log] == list(range(1, len(log) + 1))


async def place_on(
    okx: ccxt.okx, round_number: int, acknowledged: list[str], enough: asyncio.Event
) -> None:
    """Buy and sell in turn until the server is gone."""
    for number in range(10_000):
        name, side = f"r{round_number}n{number}", ("buy", "sell")[number % 2]
        okx.nonce = venue_clock(await okx.public_get_public_time())
        await okx.create_order(SYMBOL, "market", side, 0.001, None, {"clOrdId": name})
        acknowledged.append(name)
        if number == ENOUGH:
            enough.set()


def venue_clock(answer: Json) -> Callable[[], int]:
    now_ms = int(answer["data"][0]["ts"])
    return lambda: now_ms
