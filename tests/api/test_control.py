"""What is asked of a bot through the API, and cannot be: refused before anybody is told."""

from typing import Any

import httpx
import pytest

from oxbot.adapters.postgres.store import PostgresStore
from oxbot.messages import ControlRequest, SayOverRequest
from tests.api.conftest import PASSWORD, signed_in
from tests.support.trading import new_bot

Json = dict[str, Any]  # Any: as JSON has it


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("write-off", {"id": "w1", "losses": {"BTC": "abc"}}),
        ("write-off", {"id": "w1", "losses": {"BTC": 0.1}}),
        ("write-off", {"id": "w1", "losses": {"BTC": "NaN"}}),
        ("write-off", {"id": "w\u00001", "losses": {"BTC": "1"}}),
        ("write-off", {"id": "w1", "losses": {}}),
        ("write-off", {"id": "w1", "losses": {"BTC": "1E999999"}}),
        ("write-off", {"id": "w1", "losses": {"BTC": "-1"}}),
        ("write-off", {"id": "w1", "losses": {"btc; --": "1"}}),
        ("over", {"order_id": "b\u0000"}),
        ("over", {"order_id": ""}),
        ("pause", {"reason": "a" * 201}),
        ("stop", {"flatten": "perhaps"}),
    ],
)
async def test_what_cannot_be_is_a_problem_with_status_422(
    api: httpx.AsyncClient, store: PostgresStore, path: str, body: Json
) -> None:
    await new_bot(store)
    answer = await api.post(f"/bots/b1/{path}", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("bot_id", ["a%00b", "B1", "-b", "a" * 32, "a%2Fb"])
async def test_an_id_that_no_bot_can_have_asks_nobody(api: httpx.AsyncClient, bot_id: str) -> None:
    assert (await api.get(f"/bots/{bot_id}")).status_code in (404, 422)


async def test_while_temporal_is_away_it_is_said_and_nothing_is_done(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store)
    answer = await api.post("/bots/b1/pause")
    assert answer.status_code == 503
    assert "Temporal" in answer.json()["detail"]
    assert (await store.bot("b1")).status == "running"


async def test_whoever_is_no_administrator_can_end_a_live_bot_and_not_have_it_trade(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    """It was made while he was one."""
    await api.put("/registration", json={"open": True})
    await api.post("/register", json={"name": "ann", "password": PASSWORD})
    await signed_in(api, "ann")
    owner = (await api.get("/me")).json()["id"]
    await new_bot(store, "l1", mode="live", owner=owner)
    trading: dict[str, tuple[str, Json]] = {
        "resume": ("POST", {}),
        "start": ("POST", {}),
        "limits": ("PATCH", {"limits": {"stop": "2%"}}),
        "settings": ("PATCH", {"settings": {"name": "other"}}),
    }
    for path, (method, body) in trading.items():
        answer = await api.request(method, f"/bots/l1/{path}", json=body)
        assert answer.status_code == 403, path
    for path in ("pause", "flatten", "stop", "positions/BTC-USDT/close"):
        answer = await api.post(f"/bots/l1/{path}", json={})
        assert answer.status_code == 503, "Temporal is away, and would have been told"


@pytest.mark.parametrize("kind", [ControlRequest, SayOverRequest])
def test_a_reason_that_the_record_could_not_keep_is_made_one_that_it_can(
    kind: type[ControlRequest] | type[SayOverRequest],
) -> None:
    """Control is put on record until that is done: a text that cannot be would hold a bot up."""
    asked = {"reason": "a\x00b"} | ({"order_id": "b1"} if kind is SayOverRequest else {})
    assert kind.model_validate(asked).reason == "a\ufffdb"
