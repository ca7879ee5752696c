"""`oxbot replay` on real servers: the same inputs give the same ledger, whoever is killed."""

import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.killed_system import kill_everything
from tests.e2e.replays import CYCLES, FROM, TO, Report, begin, ended, kill, wait_for_progress
from tests.e2e.system_process import Machine, alive


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """Where a replay runs that nobody disturbs."""
    return Machine.clean(tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture(scope="module")
def undisturbed(quiet: Machine) -> Report:
    """What it came to."""
    begin(quiet)
    return ended(quiet)


def test_a_replay_trades_and_its_books_agree(undisturbed: Report) -> None:
    assert (undisturbed["cycles"], undisturbed["decisions"]) == (CYCLES, CYCLES)
    assert undisturbed["skipped"] == {}
    assert undisturbed["fills"] == undisturbed["orders"] > 0
    assert undisturbed["trades"] > 0
    assert (undisturbed["drift"], undisturbed["unbalanced"]) == ("0", 0)
    assert undisturbed["longest_entry_price_age_ms"] == 0
    assert [bot["bot_id"] for bot in undisturbed["bots"]] == ["one", "two"]
    assert len(undisturbed["ledger_sha256"]) == 64


@pytest.mark.critical
def test_interrupted_and_begun_again_it_comes_to_the_same_and_leaves_nothing_running(
    machine: Machine, undisturbed: Report
) -> None:
    process = begin(machine)
    wait_for_progress(machine)
    family = machine.family()
    assert machine.stop(signal.SIGINT) == 130
    assert [member for member in family if alive(member)] == []
    assert process.returncode == 130

    begin(machine)
    assert ended(machine) == undisturbed


@pytest.mark.critical
def test_whoever_is_killed_on_the_way_it_comes_to_the_same(
    machine: Machine, undisturbed: Report
) -> None:
    """First the servers, then the worker, then everything at once."""
    begin(machine)
    wait_for_progress(machine)
    kill(machine, "redis", "simulator")
    kill(machine, "temporal", "postgres")
    wait_for_progress(machine)
    kill(machine, "worker")
    wait_for_progress(machine)
    kill_everything(machine)

    begin(machine)
    assert ended(machine) == undisturbed


def refused(machine: Machine, *wishes: str) -> tuple[int, str]:
    """Exit code and sentence of a replay that must not begin."""
    ran = machine.run("replay", *wishes, "--json")
    assert ran.stdout == ""
    assert not (machine.home / "replays").exists()
    return ran.returncode, json.loads(ran.stderr)["message"]


def test_a_broken_candle_file_is_refused_with_its_line_before_anything_starts(
    machine: Machine, tmp_path: Path
) -> None:
    lines = ["ts,open,high,low,close,volume", "1735689600000,1,2,3,2,1"]
    (tmp_path / "BTC-USDT-5m.csv").write_text("\n".join(lines))
    code, told = refused(machine, "--candles", str(tmp_path), "--from", FROM, "--to", TO)
    assert code == 2
    assert "BTC-USDT-5m.csv, line 2: high" in told


def test_wishes_that_cannot_be_are_refused_before_anything_starts(machine: Machine) -> None:
    assert refused(machine, "--from", TO, "--to", FROM)[0] == 2
    assert refused(machine, "--from", FROM, "--to", TO, "--name", "../up")[0] == 2


def ask(machine: Machine, *arguments: str) -> Report:
    """What a command says of the undisturbed replay, which runs no more."""
    there = replace(
        machine,
        environment={**machine.environment, "OXBOT_HOME": str(machine.home / "replays/one")},
    )
    ran = there.run(*arguments, "--json")
    assert ran.returncode == 0, ran.stderr
    assert there.leftovers() == []
    found: Report = json.loads(ran.stdout)
    return found


@pytest.mark.critical
def test_all_its_decisions_can_be_shown_and_replayed_to_the_same_when_nothing_runs(
    quiet: Machine, undisturbed: Report
) -> None:
    listed = ask(quiet, "decisions", "list", "--last", "1000")["decisions"]
    assert len(listed) == undisturbed["decisions"]
    shown = ask(quiet, "decisions", "show", listed[0]["id"])
    assert shown["record"]["prompt"]
    for bot in undisturbed["bots"]:
        again = ask(quiet, "decisions", "replay", bot["bot_id"], "--recorded")
        assert (again["alike"], again["different"], again["undone"]) == (bot["cycles"], 0, 0)
        assert again["before"] == again["after"]
        assert again["asked"] == 0


@pytest.mark.critical
def test_driven_again_a_bot_earns_what_it_earned_and_its_twin_the_same(
    quiet: Machine, undisturbed: Report
) -> None:
    """The bot is decided by the baseline: so is who stands beside it."""
    found = ask(quiet, "decisions", "replay", "two", "--stepped", "--cycles", "1:6")
    lived = {one.pop("name"): one for one in found["earnings"]}
    assert lived["on record"] == lived["replayed"] == lived["baseline"]
    assert lived["replayed"]["turnover"] != "0"
    assert lived["buy and hold"]["pnl"] != lived["replayed"]["pnl"]
    assert found["chance"]["seeds"] == 500


def test_candles_of_another_market_are_refused(quiet: Machine, undisturbed: Report) -> None:
    assert undisturbed["cycles"] == CYCLES
    there = {**quiet.environment, "OXBOT_HOME": str(quiet.home / "replays/one")}
    ran = replace(quiet, environment=there).run(
        "decisions", "replay", "two", "--stepped", "--seed", "8"
    )
    assert ran.returncode == 2
    assert "not of the market that the bot saw" in ran.stderr
