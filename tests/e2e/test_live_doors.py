"""From settings to a bot that trades live at the simulated exchange, and what prevents it."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from oxbot.embedded.apps import WORKER
from oxbot.embedded.paths import DataDirectory
from tests.e2e.conftest import clean
from tests.e2e.system_process import OXBOT, Machine, wait_until
from tests.support.simulated_account import account

pytestmark = pytest.mark.critical

KEY = {
    "OKX_API_KEY": "key1",
    "OKX_SECRET_KEY": "secret of key1",
    "OKX_PASSPHRASE": "passphrase of key1",
}
LIVE = {**KEY, "OXBOT_LIVE": "accepted"}
A_DAY = ("--interval", "86400")
"""Between two cycles: these tests are of what comes before the first."""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A system with an account of 1,000 USDT, and one whose key can withdraw."""
    with clean(tmp_path_factory.mktemp("live")) as made:
        made.environment = {**made.environment, **LIVE}
        made.start()
        make_account(made, key="key1", balances={"USDT": "1000"})
        able = ["read_only", "trade", "withdraw"]
        make_account(made, key="key2", balances={"USDT": "1000"}, permissions=able)
        yield made


def make_account(machine: Machine, **content: object) -> None:
    url = f"{simulator(machine)}/control/accounts"
    request = urllib.request.Request(url, json.dumps(account(**content)).encode())  # noqa: S310 - our own
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - our own
        assert answer.status == 200


def without(machine: Machine, *names: str, **others: str) -> Machine:
    """The same system, seen from a terminal with other settings."""
    kept = {name: value for name, value in machine.environment.items() if name not in names}
    return Machine(machine.root, {**kept, **others}, machine.process)


def create(machine: Machine, *wishes: str) -> tuple[int, str]:
    """Try to make a bot; gives the exit code and what was said."""
    ran = machine.run("bots", "create", *A_DAY, *wishes, "--json")
    said = json.loads(ran.stderr)["message"] if ran.returncode else ran.stdout
    return ran.returncode, said


def bots(machine: Machine) -> dict[str, str]:
    """Modes by id."""
    ran = machine.run("bots", "list", "--json")
    lines = [line["bot"] for line in json.loads(ran.stdout)]
    return {bot["id"]: bot["settings"]["mode"] for bot in lines}


def test_nothing_is_made_live_without_consent_a_whole_fit_key_and_a_capital(
    system: Machine,
) -> None:
    before = bots(system)
    other = {name: value.replace("key1", "key2") for name, value in KEY.items()}
    for machine, told in (
        (without(system, "OXBOT_LIVE"), "Live trading is off"),
        (without(system, "OKX_PASSPHRASE"), "set OKX_PASSPHRASE"),
        (without(system, **other), "may withdraw"),
        (without(system, OKX_API_KEY="nobody"), "does not accept the API key"),
        (without(system, OXBOT_OKX_DEMO="true"), "belongs to real trading"),
    ):
        code, said = create(machine, "--live", "--capital", "100")
        assert (code, told in said) == (1, True), said
    code, said = create(system, "--live")
    assert (code, "give --capital" in said) == (2, True), said
    code, said = create(system, "--live", "--capital", "1001")
    assert (code, "1 are missing" in said) == (2, True), said
    assert bots(system) == before


def test_live_bots_share_the_account_and_every_page_says_live(system: Machine) -> None:
    code, said = create(system, "--live", "--id", "b1", "--capital", "600")
    assert code == 0, said
    made = json.loads(said)
    assert (made["settings"]["mode"], made["settings"]["venue"]) == ("live", "okx-simulated")
    code, said = create(system, "--live", "--id", "b2", "--capital", "600")
    assert (code, "have 600 of it" in said, "200 are missing" in said) == (2, True, True), said
    assert create(system, "--id", "p1")[0] == 0
    assert bots(system) == {"b1": "live", "p1": "paper"}

    listed = {line.split()[0]: line for line in system.run("bots", "list").stdout.splitlines()}
    assert " LIVE " in listed["b1"]
    assert " paper " in listed["p1"]
    assert "LIVE on okx-simulated, play money" in system.run("bots", "show", "b1").stdout
    doctor = json.loads(
        without(system, OXBOT_SIMULATOR_URL=simulator(system)).run("doctor", "--json").stdout
    )
    (live,) = [found for found in doctor["findings"] if found["name"] == "live trading"]
    assert (live["ok"], live["needed"]) == (True, False)
    assert "on: the key is fit for okx-simulated" in live["detail"]


def simulator(machine: Machine) -> str:
    return f"http://127.0.0.1:{machine.environment['OXBOT_SIMULATOR_PORT']}"


def test_on_a_terminal_it_says_live_and_asks_twice(system: Machine) -> None:
    before = bots(system)
    for answers in (("y", "n"), ("n",), ("y", "")):
        terminal = asked(
            system, "--id", "t1", "--symbols", "SOL", "--capital", "100", "--name", "T"
        )
        terminal.expect(r"T: SOL/USDT, .*LIVE on okx-simulated, play money")
        terminal.expect("Make and start this bot")
        terminal.sendline(answers[0])
        if len(answers) > 1:
            terminal.expect(r"LIVE: it trades 100.00 USDT of play money")
            terminal.sendline(answers[1])
        terminal.expect(pexpect.EOF)
    assert bots(system) == before
    terminal = asked(system, "--id", "t1", "--symbols", "SOL", "--capital", "100", "--name", "T")
    for question in ("Make and start this bot", "Are you sure"):
        terminal.expect(question)
        terminal.sendline("y")
    terminal.expect("oxbot bots show t1")
    terminal.expect(pexpect.EOF)
    assert bots(system)["t1"] == "live"


def asked(machine: Machine, *wishes: str) -> "pexpect.spawn[str]":
    return pexpect.spawn(
        OXBOT[0],
        [*OXBOT[1:], "bots", "create", "--live", *A_DAY, *wishes],
        env=machine.environment,
        cwd=str(machine.root),
        dimensions=(40, 100),
        encoding="utf-8",
        timeout=120,
    )


def test_a_start_without_the_account_says_which_live_bots_are_left_alone(
    tmp_path: Path,
) -> None:
    with clean(tmp_path) as machine:
        machine.environment = {**machine.environment, **LIVE}
        machine.start()
        make_account(machine, key="key1", balances={"USDT": "1000"})
        assert create(machine, "--live", "--id", "b1", "--capital", "100")[0] == 0
        assert create(machine, "--id", "p1")[0] == 0
        assert machine.stop() == 0

        machine.environment.pop("OXBOT_LIVE")
        machine.start()
        machine.wait_for("LIVE BOTS WITHOUT A FIT ACCOUNT: b1. Live trading is off")
        log = DataDirectory(machine.home).log(WORKER)
        wait_until(lambda: "live bots have no fit account" in log.read_text())
        assert create(machine, "--id", "p2")[0] == 0
        assert machine.stop() == 0
