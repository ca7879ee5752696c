"""The OpenAPI document of the API of a whole system: what it says is what is answered."""

import json
import time

import httpx
import pytest

from tests.e2e.system_process import Machine
from tests.support.document import operations, troubles

ANN = {"name": "ann", "password": "a long way to go"}
BOT = {"name": "mine", "symbols": ["BTC/USDT"], "interval_s": 86_400, "capital": "500"}


@pytest.fixture(scope="module")
def ann(system: Machine) -> httpx.Client:
    """The administrator's client."""
    url = f"http://127.0.0.1:{system.environment['OXBOT_API_PORT']}"
    client = httpx.Client(base_url=url, timeout=60)
    code = json.loads((system.home / "secrets.json").read_text())["first_code"]
    assert client.post("/register", json={**ANN, "code": code}).status_code == 201
    token = client.post("/login", json=ANN).json()["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"
    return client


def test_whatever_is_asked_is_answered_as_the_document_says_and_never_with_a_5xx(
    ann: httpx.Client,
) -> None:
    url, token = str(ann.base_url), ann.headers["Authorization"].removeprefix("Bearer ")
    bots = [ann.post("/bots", json=BOT).json()["id"] for _ in range(3)]
    assert len(operations(url)) > 20
    began_s = time.monotonic()
    found = list(troubles(url, token, bots, logins_that_may_end(ann)))
    print(f"\nasked for {time.monotonic() - began_s:.0f} s")  # noqa: T201 - for whoever looks
    assert not found, "\n\n".join(found)
    assert ann.get("/healthz").status_code == 200


def logins_that_may_end(ann: httpx.Client) -> list[str]:
    """Tokens of four users, of four logins each: one that ends all of a user's leaves others."""
    assert ann.put("/registration", json={"open": True}).status_code == 200
    users = [{**ANN, "name": f"guest{number}"} for number in range(4)]
    for user in users:
        assert ann.post("/register", json=user).status_code == 201
    answers = [ann.post("/login", json=user) for _ in range(4) for user in users]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.json()["access_token"] for answer in answers]
