"""Lists by pages and as CSV files, from a real record."""

import csv
import io
import itertools
import json
from decimal import Decimal

import httpx
import pytest
from sqlalchemy import Engine, event, update
from sqlalchemy.ext.asyncio import AsyncEngine

from oxbot.adapters.postgres.rows import add_event
from oxbot.adapters.postgres.schema import bots
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.domain.money import Notional
from oxbot.domain.orders import OrderState
from oxbot.messages import CycleOutcome
from tests.activities.test_reading import one_with_everything
from tests.api.conftest import Json, serving, signed_in
from tests.support.trading import NOW_MS, bought, entry, intend, new_bot

LISTS = ("cycles", "orders", "trades", "fills", "ledger", "decisions", "events")
FILES = (*LISTS, "equity")
OF_THE_ALARM = ("watch_beats", "array_agg", "unprotected")
FORMULA = '=HYPERLINK("http://evil.example";"x")'


async def read_csv(api: httpx.AsyncClient, name: str, bot_id: str = "b1") -> list[dict[str, str]]:
    answer = await api.get(f"/bots/{bot_id}/{name}", params={"format": "csv"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    wished = f'attachment; filename="{bot_id}-{name}.csv"'
    assert answer.headers["content-disposition"] == wished
    return list(csv.DictReader(io.StringIO(answer.text)))


HOSTILE = (
    "cursor=-1",
    "cursor=1'%20OR%201=1",
    "cursor=%00",
    "cursor=%ff",
    "cursor=99999999999999999999",
    "cursor=%D9%A3",
    "limit=0",
    "limit=501",
    "limit=99999999999999999999",
    "limit=1e2",
)


async def test_the_pages_of_a_list_joined_are_the_list(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await one_with_everything(store)
    for name in LISTS:
        whole = (await api.get(f"/bots/b1/{name}", params={"limit": 500})).json()
        assert whole["next"] is None
        rows: list[Json] = []
        cursor: dict[str, str] = {}
        while True:
            page = (await api.get(f"/bots/b1/{name}", params={"limit": 2, **cursor})).json()
            rows += page["items"]
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        assert rows == whole["items"]
        assert len(rows) > 1


async def test_a_hostile_cursor_or_limit_is_a_problem_with_status_422(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store)
    for path in ("/bots", *(f"/bots/b1/{name}" for name in LISTS)):
        for query in HOSTILE:
            answer = await api.get(f"{path}?{query}")
            assert answer.status_code == 422, (path, query, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"


async def test_a_csv_file_has_all_that_the_list_has(
    api: httpx.AsyncClient, store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oxbot.app.csv_lines.PAGE_ROWS", 1)
    monkeypatch.setattr("api.reading.PAGE_ROWS", 1)
    await one_with_everything(store)
    for name in FILES:
        rows = await read_csv(api, name)
        limit = {"limit": 500} if name != "equity" else {}
        items = (await api.get(f"/bots/b1/{name}", params=limit)).json()["items"]
        assert len(rows) == len(items) > 1


async def test_a_csv_file_names_units_and_spells_times_out(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store, capital=Notional(20_000))
    await bought(store)
    (fill,) = await read_csv(api, "fills")
    assert (fill["quantity_coins"], fill["price_usdt"]) == ("0.1", "60000")
    assert (fill["at_ms"], fill["at_utc"]) == (str(NOW_MS), "2025-10-09T08:53:20.123Z")
    (order,) = await read_csv(api, "orders")
    assert order["filled_coins"] == "0.1"
    assert order["finished_utc"].endswith("Z")
    amounts = [row["amount"] for row in await read_csv(api, "ledger")]
    assert "-20000" in amounts


@pytest.mark.critical
async def test_no_text_of_a_csv_file_is_a_formula(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store)
    for cycle, begin in enumerate(("=", "+", "-", "@", "\t", "\r"), start=1):
        told = f"{begin}{FORMULA}"
        await intend(store, order := entry("b1", cycle))
        await store.finish_order(order, OrderState.REFUSED, told)
        outcome = CycleOutcome(cycle=cycle, incarnation=1, due_ms=NOW_MS, decision=told)
        await store.record_cycles("b1", [outcome], [], {})
        row, *_ = await read_csv(api, "orders")
        assert row["reason"] == f"'{told}"
        row, *_ = await read_csv(api, "cycles")
        assert row["decision"] == f"'{told}"


async def test_figures_of_an_event_are_json_in_a_file(
    api: httpx.AsyncClient, store: PostgresStore, engine: AsyncEngine
) -> None:
    await new_bot(store)
    async with engine.begin() as connection:
        told = ("test", "=told")
        await add_event(connection, "b1", "k", told, {"worth": "1.5", "coin": "BTC"})
    event_, *_ = await read_csv(api, "events")
    assert json.loads(event_["figures"]) == {"coin": "BTC", "worth": "1.5"}
    assert (event_["text"], event_["at_utc"][-1]) == ("'=told", "Z")


async def test_bots_are_listed_the_last_made_first_by_pages_and_archived_ones_apart(
    api: httpx.AsyncClient, store: PostgresStore, engine: AsyncEngine
) -> None:
    for number in range(5):
        await new_bot(store, f"b{number}")
    async with engine.begin() as connection:
        await connection.execute(update(bots).where(bots.c.id == "b2").values(archived_at=NOW_MS))
    first = (await api.get("/bots", params={"limit": 3})).json()
    assert [line["bot"]["id"] for line in first["items"]] == ["b4", "b3", "b1"]
    rest = (await api.get("/bots", params={"limit": 3, "cursor": first["next"]})).json()
    assert ([line["bot"]["id"] for line in rest["items"]], rest["next"]) == (["b0"], None)
    (gone,) = (await api.get("/bots", params={"archived": True})).json()["items"]
    assert (gone["bot"]["id"], gone["bot"]["archived_ms"]) == ("b2", NOW_MS)


@pytest.mark.critical
async def test_what_is_another_users_is_not_found_and_listed_to_nobody_else(
    database_url: str, store: PostgresStore
) -> None:
    async with serving(database_url) as client:
        await client.put("/registration", json={"open": True})
        body = {"name": "bob", "password": "a long way to go"}
        bob = (await client.post("/register", json=body)).json()["id"]
        await new_bot(store, "b1")
        await new_bot(store, "b2", owner=bob)
        await signed_in(client, "bob")
        forms: tuple[dict[str, str], ...] = ({}, {"format": "csv"})
        for name, form in itertools.product((*LISTS, "equity", "statistics"), forms):
            others = await client.get(f"/bots/b1/{name}", params=form)
            unknown = await client.get(f"/bots/b9/{name}", params=form)
            assert others.status_code == unknown.status_code == 404
            assert others.json()["detail"] == unknown.json()["detail"].replace("b9", "b1")
            assert (await client.get(f"/bots/b2/{name}", params=form)).status_code == 200
        listed = (await client.get("/bots")).json()["items"]
        assert [line["bot"]["id"] for line in listed] == ["b2"]


async def test_a_page_of_any_list_takes_two_statements(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    """Who asks, and the page of a bot that is theirs; a curve and a list of bots take no more."""
    await one_with_everything(store)
    sent: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        for path in ("/bots", *(f"/bots/b1/{name}" for name in LISTS), "/bots/b1/equity"):
            await api.get(path)  # a new connection says more than that
            sent.clear()
            assert (await api.get(path)).status_code == 200
            mine = [s for s in sent if not any(of in s for of in OF_THE_ALARM)]
            assert len(mine) == 2, path
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def test_the_equity_curve_is_thinned_out_and_keeps_its_newest_point(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store)
    for cycle in range(1, 12):
        outcome = CycleOutcome(cycle=cycle, incarnation=1, due_ms=NOW_MS + cycle * 1000)
        amounts = {"equity": Notional(10_000 + cycle), "cash": Notional(10_000)}
        await store.record_cycles("b1", [outcome], [], amounts)
    every = (await api.get("/bots/b1/equity")).json()["items"]
    assert [point["cycle"] for point in every] == list(range(1, 12))
    few = (await api.get("/bots/b1/equity", params={"points": 3})).json()["items"]
    assert len(few) <= 3
    assert few[-1] == every[-1]
    part = {"since_ms": NOW_MS + 2000, "until_ms": NOW_MS + 4000}
    some = (await api.get("/bots/b1/equity", params=part)).json()["items"]
    assert [point["cycle"] for point in some] == [2, 3, 4]
    answer = await api.get("/bots/b1/equity", params={**part, "format": "csv"})
    assert [row["cycle"] for row in csv.DictReader(io.StringIO(answer.text))] == ["4", "3", "2"]


async def test_a_hostile_stretch_is_a_problem_with_status_422(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store)
    for query in ("points=2001", "points=1", "since_ms=-1", f"until_ms={10**18}", "since_ms=x"):
        assert (await api.get(f"/bots/b1/equity?{query}")).status_code == 422


async def test_statistics_are_after_fees_and_model_cost(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await one_with_everything(store)
    found = (await api.get("/bots/b1/statistics")).json()
    assert Decimal(found["net_pnl"]) == Decimal("9.992")
    assert Decimal(found["net_return"]) == Decimal("0.0004996")
    assert found["trades"] == 3
    assert Decimal(found["win_rate"]) == Decimal("0.66666667")
    assert found["exits"]["stop"]["trades"] == 3
    assert found["sharpe"] is None
    assert Decimal(found["time_in_market"]) == Decimal("0.6")
