"""Bots made and controlled through the API of a whole system, and what it keeps to itself."""

import json
import stat
from typing import Any

import httpx
import pytest

from tests.e2e.system_process import Machine

pytestmark = pytest.mark.critical

Json = dict[str, Any]  # Any: as JSON has it

ANN = {"name": "ann", "password": "a long way to go"}
BOT = {"name": "mine", "symbols": ["BTC/USDT"], "interval_s": 86_400, "capital": "500"}


@pytest.fixture(scope="module")
def ann(system: Machine) -> httpx.Client:
    """The administrator's client."""
    client = httpx.Client(base_url=f"http://127.0.0.1:{system.environment['OXBOT_API_PORT']}")
    code = json.loads((system.home / "secrets.json").read_text())["first_code"]
    if client.post("/register", json={**ANN, "code": code}).status_code == 201:
        assert client.post("/register", json={**ANN, "name": "bob"}).status_code == 403
    token = client.post("/login", json=ANN).json()["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"
    return client


def shown(system: Machine, bot_id: str) -> Json:
    """What the command line shows of a bot."""
    page: Json = json.loads(system.run("bots", "show", bot_id, "--json").stdout)
    return page


def test_a_bot_is_made_paused_changed_resumed_and_stopped(
    system: Machine, ann: httpx.Client
) -> None:
    key = {"Idempotency-Key": "the first one"}
    made = ann.post("/bots", json=BOT, headers=key)
    assert made.status_code == 201, made.text
    bot_id, again = made.json()["id"], ann.post("/bots", json=BOT, headers=key)
    assert (again.status_code, again.json()["id"]) == (200, bot_id)
    other = ann.post("/bots", json={**BOT, "name": "other"}, headers=key)
    assert (other.status_code, other.json()["title"]) == (409, "Conflict")
    assert made.json()["settings"]["owner"] == ann.get("/me").json()["id"]

    assert ann.post(f"/bots/{bot_id}/pause").status_code == 200, "no reason has to be given"
    assert ann.post(f"/bots/{bot_id}/resume").json()["status"] == "running"
    paused = ann.post(f"/bots/{bot_id}/pause", json={"reason": "lunch"})
    assert (paused.status_code, paused.json()["status"]) == (200, "paused")
    page = shown(system, bot_id)
    assert page["bot"]["status"] == "paused"
    told = next(event["text"] for event in page["events"] if event["kind"] == "paused")
    assert "ann, API" in told
    assert "lunch" in told
    assert ann.post(f"/bots/{bot_id}/pause", json={}).status_code in (200, 409)

    changed = ann.patch(f"/bots/{bot_id}/limits", json={"limits": {"stop": "2%"}})
    assert (changed.status_code, changed.json()["changed"]) == (200, ["stop"])
    wrong = ann.patch(f"/bots/{bot_id}/limits", json={"limits": {"stop": "200%"}})
    assert wrong.status_code == 422

    renamed = ann.patch(f"/bots/{bot_id}/settings", json={"settings": {"name": "calm"}})
    assert (renamed.status_code, renamed.json()["changed"]) == (200, ["name"])
    again = ann.post("/bots", json=BOT, headers=key)
    assert (again.status_code, again.json()["id"]) == (200, bot_id), "known by what was asked for"
    nothing = ann.post(f"/bots/{bot_id}/positions/BTC-USDT/close")
    assert (nothing.status_code, "holds nothing" in nothing.json()["detail"]) == (404, True)
    assert ann.post(f"/bots/{bot_id}/start").json()["started"] is False
    assert ann.post(f"/bots/{bot_id}/archive").status_code == 409

    assert ann.post(f"/bots/{bot_id}/resume", json={}).json()["status"] == "running"
    flat = ann.post(f"/bots/{bot_id}/flatten", json={})
    assert (flat.status_code, flat.json()["report"]["positions"]) == (200, 0)
    stopped = ann.post(f"/bots/{bot_id}/stop", json={})
    assert stopped.status_code in (200, 202)
    assert ann.post(f"/bots/{bot_id}/resume", json={}).status_code == 409
    assert ann.post(f"/bots/{bot_id}/reconcile").status_code in (409, 422)


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({"owner": "somebody"}, 422),
        ({"venue": "okx"}, 422),
        ({"symbols": ["NONE/USDT"]}, 422),
        ({"capital": 0.1}, 422),
        ({"capital": "-1"}, 422),
        ({"unknown": 1}, 422),
        ({"provider": "nobody"}, 422),
        ({"mode": "live"}, 409),
    ],
)
def test_what_cannot_be_makes_no_bot_and_says_why(
    ann: httpx.Client, wish: Json, status: int
) -> None:
    before = len(ann.get("/bots").json()["items"])
    answer = ann.post("/bots", json={**BOT, **wish})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(ann.get("/bots").json()["items"]) == before


def test_the_secret_of_the_embedded_system_is_its_owners_alone(
    system: Machine, ann: httpx.Client
) -> None:
    assert ann.get("/me").status_code == 200
    kept = system.home / "secrets.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    secret = json.loads(kept.read_text())["api_secret"]
    for log in (system.home / "logs").iterdir():
        assert secret not in log.read_text(errors="replace")
        assert ANN["password"] not in log.read_text(errors="replace")
    assert secret not in system.run("config", "show", "--json").stdout
