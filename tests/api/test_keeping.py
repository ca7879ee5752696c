"""One bot kept in order through the API: settings, one position, its workflow, the archive."""

import httpx

from oxbot.adapters.postgres.store import PostgresStore
from oxbot.domain.money import Price
from oxbot.messages import ClosePosition, CloseReport
from tests.api.answering import Answering, put_behind
from tests.api.test_answers import ended
from tests.support.trading import bought, new_bot


async def test_settings_change_while_temporal_is_away_and_are_told_with_the_name(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store)
    wish = {"settings": {"name": "Calm", "gate_bp": "5"}, "reason": "dear"}
    done = await api.patch("/bots/b1/settings", json=wish)
    assert (done.status_code, done.json()["changed"]) == (200, ["name", "gate_bp"])
    assert (await api.patch("/bots/b1/settings", json=wish)).json()["changed"] == []
    off = await api.patch("/bots/b1/settings", json={"settings": {"gate_bp": None}})
    assert off.json()["settings"]["gate_bp"] is None
    told = [event.text for event in await store.events("b1", 9) if event.kind == "settings"]
    assert told == [
        "Settings changed by admin, API. gate_bp from 5 to off.",
        "Settings changed by admin, API: dear. name from Test to Calm, gate_bp from off to 5.",
    ]
    for settings, words in REFUSED:
        refused = await api.patch("/bots/b1/settings", json={"settings": settings})
        assert refused.status_code == 422, settings
        assert words in refused.json()["detail"], settings
    assert (await store.bot("b1")).settings.name == "Calm"
    await ended(store, "b1")
    assert (await api.patch("/bots/b1/settings", json=wish)).status_code == 409


REFUSED: list[tuple[dict[str, object], str]] = [
    ({}, "No setting is named"),
    ({"interval_s": 60}, "interval_s cannot change: its running workflow"),
    ({"symbols": ["ETH/USDT"]}, "symbols cannot change: its running workflow"),
    ({"mode": "live"}, "mode cannot change: a bot trades on paper or live"),
    ({"capital": "1"}, "capital cannot change"),
    ({"owner": "me"}, "owner cannot change"),
    ({"venue": "okx"}, "venue cannot change"),
    ({"limits": {}}, "limits change by themselves"),
    ({"nothing": 1}, "nothing"),
    ({"name": None}, "name"),
    ({"provider": "dashscope"}, "set DASHSCOPE_API_KEY"),
    ({"prompt_version": "none-such"}, "There is no prompt version"),
    ({"fallbacks": [{"provider": "dashscope"}]}, "set DASHSCOPE_API_KEY"),
]


async def test_a_position_is_closed_by_its_symbol_and_the_answer_is_the_proof(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store)
    report = CloseReport(symbol="BTC/USDT", done=True, status="running", price=Price(60_000))
    control = Answering(report)
    put_behind(api, control)
    done = await api.post("/bots/b1/positions/BTC-USDT/close", json={"reason": "the news"})
    assert (done.status_code, done.json()["done"]) == (200, True)
    wanted = ClosePosition(symbol="BTC/USDT", by="admin, API", reason="the news")
    assert control.asked == [("close", "b1", wanted)]
    for left, status in (
        ({"done": False, "under_way": True}, 202),
        ({"done": False, "reason": "too little is held to be closed"}, 409),
    ):
        put_behind(api, Answering(report.model_copy(update=left)))
        told = await api.post("/bots/b1/positions/BTC-USDT/close")
        assert told.status_code == status
    assert "too little is held" in told.json()["detail"]
    for path in ("bitcoin", "btc-usdt", "BTC", "BTC-USDT-X"):
        assert (await api.post(f"/bots/b1/positions/{path}/close")).status_code == 422
    await ended(store, "b1")
    assert (await api.post("/bots/b1/positions/BTC-USDT/close")).status_code == 409


async def test_a_bot_without_a_workflow_is_started_once_and_a_stopped_one_never(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store)
    assert (await api.post("/bots/b1/start")).status_code == 503, "Temporal is away"
    control = Answering()
    put_behind(api, control)
    answers = [await api.post("/bots/b1/start") for _ in range(2)]
    assert [(one.status_code, one.json()["started"]) for one in answers] == [
        (200, True),
        (200, False),
    ]
    assert control.asked == [("start", "b1", "")]
    await ended(store, "b1")
    assert (await api.post("/bots/b1/start")).status_code == 409


async def test_a_stopped_bot_with_nothing_left_is_archived_and_comes_back(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store)
    running = await api.post("/bots/b1/archive")
    assert (running.status_code, "is running" in running.json()["detail"]) == (409, True)
    await ended(store, "b1")
    done = await api.post("/bots/b1/archive", json={"reason": "tidy"})
    assert (done.status_code, done.json()["archived_ms"] > 0) == (200, True)
    assert (await api.post("/bots/b1/archive")).json() == done.json()
    assert (await api.post("/bots/b1/unarchive")).json()["archived_ms"] is None
    assert (await api.post("/bots/b1/unarchive")).status_code == 200
    await new_bot(store, "b2")
    await bought(store, "b2")
    await ended(store, "b2")
    refused = await api.post("/bots/b2/archive")
    assert (refused.status_code, "positions in BTC/USDT" in refused.json()["detail"]) == (409, True)


async def test_a_bot_that_there_is_not_is_not_found(api: httpx.AsyncClient) -> None:
    for path in ("archive", "unarchive", "start", "positions/BTC-USDT/close"):
        assert (await api.post(f"/bots/none/{path}")).status_code == 404
