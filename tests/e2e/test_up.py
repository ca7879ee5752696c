"""`oxbot up`: start, faults, stop, from the command line on real servers."""

import json
import os
import re
import signal
import socket
import subprocess

import asyncpg  # type: ignore[import-untyped] # shipped without types
import psutil
import pytest

from oxbot.embedded.servers import embedded_servers
from oxbot.settings import Settings
from tests.e2e.system_process import OXBOT, PARTS, Machine, alive

MOUNT = 'mount -t tmpfs -o size=30m tmpfs "$OXBOT_HOME" && exec "$@"'
"""A small disk of our own, in a namespace of our own."""


def recorded(machine: Machine) -> dict[str, psutil.Process]:
    """The running programs, by name, as the system recorded them."""
    records = json.loads((machine.home / "children.json").read_text())
    return {name: psutil.Process(record["pid"]) for name, record in records.items()}


def test_it_runs_everything_helps_the_second_comer_and_leaves_no_process(machine: Machine) -> None:
    machine.start()
    assert set(recorded(machine)) == set(PARTS)
    family = machine.family()

    second = machine.run("up", "--simulator")
    assert second.returncode == 1
    assert f"(process {machine.supervisor.pid}, since" in second.stderr
    assert second.stderr.count("\n") == 1

    listed = machine.run("temporal", "operator", "search-attribute", "list")
    assert re.search(r"BotSymbols\s+KeywordList", listed.stdout), listed.stderr
    doctor = json.loads(machine.run("doctor", "--json").stdout)
    assert doctor["can_start"]

    assert machine.stop(signal.SIGTERM) == 0
    assert [process for process in family if alive(process)] == []
    assert "Stopped" in machine.output


def test_each_part_that_is_killed_is_mended_and_it_is_said(machine: Machine) -> None:
    machine.start()
    before = recorded(machine)
    for name in PARTS:
        os.kill(before[name].pid, signal.SIGKILL)
    for name in PARTS:
        machine.wait_for(f"{name} restarted")
        assert f"{name} died (exit code -9), restarting" in machine.output
    after = recorded(machine)
    assert all(after[name].pid != before[name].pid for name in PARTS)
    assert all(alive(process) for process in after.values())

    os.killpg(machine.supervisor.pid, signal.SIGINT)  # Ctrl-C: the whole foreground group
    assert machine.process is not None
    assert machine.process.wait() == 0
    assert not any(alive(process) for process in after.values())


def test_after_the_supervisor_was_killed_a_new_start_goes_on(machine: Machine) -> None:
    machine.start()
    orphans = machine.family()
    assert machine.stop(signal.SIGKILL) == -signal.SIGKILL
    machine.start()
    assert not any(alive(process) for process in orphans)
    assert set(recorded(machine)) == set(PARTS)
    assert machine.stop(signal.SIGINT) == 0


def test_a_second_signal_hurries_a_worker_that_does_not_drain(machine: Machine) -> None:
    machine.start()
    family = machine.family()
    recorded(machine)["worker"].suspend()
    supervisor = machine.supervisor
    supervisor.send_signal(signal.SIGINT)
    machine.wait_for("Stopping")
    assert machine.stop(signal.SIGINT) == 0
    assert not any(alive(process) for process in family)


@pytest.mark.parametrize(
    "variable", ["OXBOT_TEMPORAL_PORT", "OXBOT_API_PORT", "OXBOT_SIMULATOR_PORT"]
)
def test_a_taken_port_is_one_sentence_and_nothing_is_left(machine: Machine, variable: str) -> None:
    with socket.create_server(("127.0.0.1", int(machine.environment[variable]))):
        refused = machine.run("up", "--simulator")
    assert refused.returncode == 1
    sentence = refused.stderr.strip()
    assert f"process {os.getpid()}" in sentence
    assert variable in sentence
    assert "\n" not in sentence


def test_without_okx_it_names_the_simulator_and_does_not_start(machine: Machine) -> None:
    machine.environment["OXBOT_OKX_REST_URL"] = "http://127.0.0.1:1"
    refused = machine.run("up")
    assert refused.returncode == 1
    assert "oxbot up --simulator" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not machine.leftovers()


def test_a_full_disk_is_one_sentence_and_nothing_is_left(machine: Machine) -> None:
    machine.home.mkdir()
    small_disk = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", MOUNT, "sh"]
    refused = subprocess.run(
        [*small_disk, *OXBOT, "up", "--simulator"],
        env=machine.environment,
        cwd=machine.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    assert "is full" in refused.stderr, refused.stderr
    assert refused.stderr.strip().count("\n") == 0
    assert not machine.leftovers()


async def test_a_database_from_a_newer_version_is_one_sentence(machine: Machine) -> None:
    settings = Settings(home=machine.home, database_url=None)
    async with embedded_servers(settings, print, ["postgres"]) as addresses:
        sockets = addresses.database_url.partition("host=")[2]
        connection = await asyncpg.connect(host=sockets, user="oxbot", database="oxbot")
        await connection.execute("CREATE TABLE alembic_version (version_num varchar(32))")
        await connection.execute("INSERT INTO alembic_version VALUES ('from_the_future')")
        await connection.close()
    refused = machine.run("up", "--simulator")
    assert refused.returncode == 1
    assert "newer" in refused.stderr
    assert refused.stderr.strip().count("\n") == 0
    assert not machine.leftovers()
