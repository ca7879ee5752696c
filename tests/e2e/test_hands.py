"""Bots that hold something, on a whole system: closed, sold, stopped, started, put away."""

import json
from collections.abc import Iterator
from typing import Any, Final

import httpx
import psutil
import pytest

from tests.e2e.conftest import clean
from tests.e2e.system_process import Machine, wait_until
from tests.e2e.test_live_doors import LIVE, make_account
from tests.support.buyer import SYMBOL, buyer

pytestmark = pytest.mark.critical

Json = dict[str, Any]  # Any: as JSON has it

ANN = {"name": "ann", "password": "a long way to go"}
BUYS: Final[Json] = {
    "name": "buys",
    "symbols": [SYMBOL],
    "capital": "500",
    "provider": "openai",
    "interval_s": 5,
}
"""A bot that holds BTC after its first cycle, and buys none again for a quarter of an hour."""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A system whose model buys, with an account of 1,000 USDT at its exchange."""
    with clean(tmp_path_factory.mktemp("hands")) as made, buyer() as model:
        made.environment = {**made.environment, **LIVE, **model}
        made.start()
        make_account(made, key="key1", balances={"USDT": "1000"})
        yield made


@pytest.fixture(scope="module")
def ann(machine: Machine) -> Iterator[httpx.Client]:
    """The administrator's client."""
    url = f"http://127.0.0.1:{machine.environment['OXBOT_API_PORT']}"
    with httpx.Client(base_url=url, timeout=90) as client:
        assert client.post("/register", json=ANN).status_code == 201
        token = client.post("/login", json=ANN).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def made(ann: httpx.Client, name: str, **more: object) -> str:
    """Have ann make a bot; its id."""
    key = {"Idempotency-Key": f"the bot {name}"}
    answer = ann.post("/bots", json={**BUYS, "name": name, **more}, headers=key)
    assert answer.status_code == 201, answer.text
    bot_id: str = answer.json()["id"]
    return bot_id


def told(machine: Machine, *arguments: str) -> Any:  # noqa: ANN401 - JSON
    ran = machine.run(*arguments, "--json")
    assert ran.returncode == 0, ran.stderr + ran.stdout
    return json.loads(ran.stdout)


def holds(ann: httpx.Client, bot_id: str) -> list[Json]:
    answer = ann.get(f"/bots/{bot_id}/positions")
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["items"]
    return found


def until_it_holds(ann: httpx.Client, bot_id: str) -> None:
    wait_until(lambda: bool(holds(ann, bot_id)))


def status_of(ann: httpx.Client, bot_id: str) -> str:
    status: str = ann.get(f"/bots/{bot_id}").json()["bot"]["status"]
    return status


def until_it_is(ann: httpx.Client, bot_id: str, status: str) -> None:
    wait_until(lambda: status_of(ann, bot_id) == status)


def reconciled(ann: httpx.Client, bot_id: str) -> Json:
    answer = ann.post(f"/bots/{bot_id}/reconcile")
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def last_exit(ann: httpx.Client, bot_id: str) -> str:
    (trade,) = ann.get(f"/bots/{bot_id}/trades").json()["items"]
    reason: str = trade["exit"]
    return reason


def test_a_held_position_is_shown_and_closed_by_api_and_command_line_and_its_bot_goes_on(
    machine: Machine, ann: httpx.Client
) -> None:
    first, second = made(ann, "closed by the API"), made(ann, "closed on the command line")
    for bot_id in (first, second):
        until_it_holds(ann, bot_id)
    (held,) = holds(ann, first)
    assert (held["symbol"], held["mode"], held["resting_stop"]) == (SYMBOL, "paper", None)
    assert held["net_pnl"] is not None
    assert {one["bot_id"] for one in told(machine, "positions")["items"]} >= {first, second}

    answer = ann.post(f"/bots/{first}/positions/BTC-USDT/close", json={"reason": "enough"})
    assert (answer.status_code, answer.json()["done"]) == (200, True), answer.text
    assert told(machine, "bots", "close", second, "BTC")["done"] is True
    for bot_id in (first, second):
        assert holds(ann, bot_id) == told(machine, "bots", "positions", bot_id)["items"] == []
        assert (status_of(ann, bot_id), last_exit(ann, bot_id)) == ("running", "flatten")
    again = ann.post(f"/bots/{first}/positions/BTC-USDT/close")
    assert (again.status_code, "holds nothing" in again.json()["detail"]) == (404, True)


def test_a_live_bot_is_made_enters_with_a_stop_at_the_exchange_is_closed_and_stopped(
    machine: Machine, ann: httpx.Client
) -> None:
    refused = ann.post("/bots", json={**BUYS, "mode": "live"})
    assert (refused.status_code, "Idempotency-Key" in refused.json()["detail"]) == (422, True)
    bot_id = made(ann, "live", mode="live")
    until_it_holds(ann, bot_id)
    wait_until(lambda: holds(ann, bot_id)[0]["resting_stop"] is not None)
    (held,) = holds(ann, bot_id)
    assert held["mode"] == "live"
    # While the entry's step is at its stop, a coin is left to that.
    wait_until(lambda: reconciled(ann, bot_id)["proven"] == [SYMBOL])
    found = reconciled(ann, bot_id)
    assert (found["differs"], found["unknown"], found["unsold"]) == ([], [], [])

    closed = ann.post(f"/bots/{bot_id}/positions/BTC-USDT/close", json={"reason": "enough"})
    assert (closed.status_code, closed.json()["done"]) == (200, True), closed.text
    assert (holds(ann, bot_id), last_exit(ann, bot_id)) == ([], "flatten")
    assert told(machine, "bots", "reconcile", bot_id)["differs"] == []
    assert ann.post(f"/bots/{bot_id}/stop", json={}).status_code in (200, 202)
    until_it_is(ann, bot_id, "stopped")
    assert ann.get("/status").json()["live"]["bots"] == []


def test_a_bot_that_was_ended_by_force_is_started_and_paused_since_it_holds_something(
    machine: Machine, ann: httpx.Client
) -> None:
    bot_id = made(ann, "ended by force")
    until_it_holds(ann, bot_id)
    worker = worker_of(machine)
    worker.suspend()
    try:
        run = machine.run("temporal", "workflow", "terminate", "-w", f"bot-{bot_id}")
        assert run.returncode == 0, run.stderr
        started = ann.post(f"/bots/{bot_id}/start")
        assert (started.status_code, started.json()["started"]) == (200, True), started.text
    finally:
        worker.resume()
    assert told(machine, "bots", "start", bot_id)["started"] is False
    until_it_is(ann, bot_id, "paused")
    assert len(holds(ann, bot_id)) == 1
    resumed = ann.post(f"/bots/{bot_id}/resume", json={})
    assert (resumed.status_code, resumed.json()["status"]) == (200, "running"), resumed.text


def worker_of(machine: Machine) -> psutil.Process:
    children = json.loads((machine.home / "children.json").read_text())
    return psutil.Process(children["worker"]["pid"])


def test_everything_is_sold_then_all_are_stopped_and_one_is_put_away(
    machine: Machine, ann: httpx.Client
) -> None:
    first, second = made(ann, "sold first"), made(ann, "sold second")
    for bot_id in (first, second):
        until_it_holds(ann, bot_id)
    status = told(machine, "status")
    assert status["missing"] == []
    assert all(server["answers"] for server in status["servers"])
    (worker,) = [one for one in status["workers"]["workers"] if one["polls_now"]]
    assert set(worker["polls"]) == {"workflows", "activities"}

    sold = ann.post("/flatten", json={"reason": "the news"})
    assert sold.status_code == 200, sold.text
    reports = {one["bot_id"]: one["report"] for one in sold.json()}
    assert reports.keys() >= {first, second}
    assert all(report["done"] and not report["positions"] for report in reports.values())
    assert ann.get("/positions").json()["items"] == []
    assert {status_of(ann, bot_id) for bot_id in (first, second)} == {"paused"}

    third = made(ann, "sold by its stop")
    until_it_holds(ann, third)
    assert ann.post(f"/bots/{third}/archive").status_code == 409
    stopped = ann.post("/stop", json={"reason": "done"})
    assert stopped.status_code in (200, 202), stopped.text
    for bot_id in (first, second, third):
        until_it_is(ann, bot_id, "stopped")
    assert (holds(ann, third), last_exit(ann, third)) == ([], "flatten")
    assert ann.post("/stop", json={}).status_code == 200

    assert ann.post(f"/bots/{first}/archive").json()["archived_ms"]
    assert told(machine, "bots", "archive", second)["archived_ms"]
    listed = {line["bot"]["id"] for line in ann.get("/bots").json()["items"]}
    assert listed & {first, second, third} == {third}
