"""The simulator as a process: what it prints, how it ends, what survives it."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import typer
from aiohttp import ClientSession, WSMsgType
from typer.testing import CliRunner

from oxbot.cli.simulator import simulator
from tests.support.simulator_process import COMMAND, running


def clock(url: object, wish: dict[str, object] | None = None) -> dict[str, object]:
    data = None if wish is None else json.dumps(wish).encode()
    with urlopen(Request(f"{url}/control/clock", data=data)) as answer:  # noqa: S310 - loopback
        content = json.load(answer)
    assert isinstance(content, dict)
    return content


def venue_time(url: object) -> str | None:
    """What public/time says; None if it says nothing, or refuses."""
    try:
        with urlopen(f"{url}/api/v5/public/time") as answer:  # noqa: S310 - loopback
            data = json.load(answer)["data"]
    except HTTPError as error:
        if error.code != 429:
            raise
        return None
    return str(data[0]["ts"]) if data else None


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_and_its_time_survives(
    tmp_path: Path, number: signal.Signals
) -> None:
    state = str(tmp_path / "clock.json")
    with running("--mode", "stepped", "--state", state) as (process, said):
        moved = clock(said["url"], {"advance_ms": 300_000})
        process.send_signal(number)
        assert process.wait(20) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
    with running("--state", state) as (_, said):
        assert said["venue_ms"] == moved["venue_ms"]
        assert said["mode"] == "stepped"


def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    state = str(tmp_path / "clock.json")
    with running("--mode", "stepped", "--state", state) as (process, said):
        moved = clock(said["url"], {"advance_ms": 300_000})
        process.kill()
    with running("--state", state) as (_, said):
        assert said["venue_ms"] == moved["venue_ms"]


def test_a_start_is_remembered_though_nobody_ever_changes_the_clock(tmp_path: Path) -> None:
    state = str(tmp_path / "clock.json")
    with running("--rate", "1000", "--state", state) as (process, said):
        seen = clock(said["url"])["venue_ms"]
        process.kill()
    with running("--state", state) as (_, said):
        assert isinstance(seen, int)
        assert isinstance(said["venue_ms"], int)
        assert said["venue_ms"] > seen


def test_fault_rules_of_a_file_survive_a_kill_with_what_was_used_of_them(tmp_path: Path) -> None:
    rules, state = tmp_path / "rules.json", tmp_path / "clock.json"
    rules.write_text(json.dumps([{"kind": "empty", "count": 3, "endpoint": "public/time"}]))
    arguments = ("--mode", "stepped", "--state", str(state), "--faults", str(rules))
    with running(*arguments) as (process, said):
        assert venue_time(said["url"]) is None
        clock(said["url"], {"advance_ms": 300_000})
        process.kill()
    with running(*arguments) as (_, said):
        assert [venue_time(said["url"]) is None for _ in range(3)] == [True, True, False]
    with running(*arguments, "--fresh") as (_, said):
        assert venue_time(said["url"]) is None


def test_a_request_that_is_held_does_not_hold_the_end(tmp_path: Path) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text('{"kind": "timeout"}')
    with running("--faults", str(rules)) as (process, said):
        port = said["port"]
        assert isinstance(port, int)
        with socket.create_connection(("127.0.0.1", port)) as held:
            held.sendall(b"GET /api/v5/public/time HTTP/1.1\r\nHost: x\r\n\r\n")
            clock(said["url"])
            process.terminate()
            assert process.wait(20) == 0


async def test_a_websocket_that_is_open_does_not_hold_the_end() -> None:
    with running() as (process, said):
        url = f"{said['url']}/ws/v5/public"
        async with ClientSession() as session, session.ws_connect(url) as socket:
            arg = {"channel": "tickers", "instId": "BTC-USDT"}
            await socket.send_json({"op": "subscribe", "args": [arg]})
            assert (await socket.receive_json(timeout=10))["event"] == "subscribe"
            process.terminate()
            while (await socket.receive(timeout=10)).type is WSMsgType.TEXT:
                continue
            assert socket.close_code == 1001
        assert process.wait(20) == 0


def test_a_bad_file_of_faults_is_one_sentence(tmp_path: Path) -> None:
    rules = tmp_path / "rules.json"
    for content, why in (
        ('{"kind": "fire"}', "No fault rule: kind"),
        ("{", "is not JSON"),
        (None, "cannot be read: No such file"),
    ):
        if content is None:
            rules.unlink()
        else:
            rules.write_text(content)
        command = [*COMMAND, "--port", "0", "--faults", str(rules)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ended.returncode == 1
        assert ended.stderr.count("\n") == 1
        assert str(rules) in ended.stderr
        assert why in ended.stderr


def test_as_a_process_it_has_okxs_rate_limits_unless_told_otherwise() -> None:
    for more, refused in (((), True), (("--no-rate-limits",), False)):
        with running("--mode", "stepped", *more) as (_, said):
            asked = [venue_time(said["url"]) for _ in range(60)]
            assert (None in asked) == refused


def test_a_taken_port_is_one_sentence_and_leaves_the_state_alone(
    tmp_path: Path, taken_port: int
) -> None:
    state = tmp_path / "clock.json"
    command = [*COMMAND, "--port", str(taken_port), "--fresh", "--state", str(state)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert f"Port {taken_port} is taken" in ended.stderr
    assert f"process {os.getpid()}" in ended.stderr
    assert not state.exists()


def test_it_listens_on_loopback_only() -> None:
    with running() as (_, said):
        port = said["port"]
        assert isinstance(port, int)
        with socket.socket() as other, pytest.raises(ConnectionRefusedError):
            other.connect(("127.0.0.2", port))


def test_the_readable_line_says_how_to_point_ccxt_at_it() -> None:
    with subprocess.Popen([*COMMAND, "--port", "0"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        process.terminate()
    assert "Simulated OKX on http://127.0.0.1:" in said
    assert 'okx({"urls": {"api": {"rest": "http://127.0.0.1:' in said
    assert '/ws/v5"}}})' in said


def test_the_command_of_the_command_line_is_the_same_simulator(
    taken_port: int, tmp_path: Path
) -> None:
    app = typer.Typer()
    app.command()(simulator)
    taken = CliRunner().invoke(app, ["--port", str(taken_port)])
    assert taken.exit_code == 1
    assert f"Port {taken_port} is taken" in taken.stderr
    empty = CliRunner().invoke(app, ["--candles", str(tmp_path)])
    assert empty.exit_code == 1
    assert "There is no file of 5m candles" in empty.stderr
