"""What the API says of bots, from a real record."""

from decimal import Decimal

import httpx

from oxbot.adapters.postgres.store import PostgresStore
from oxbot.domain.money import Notional
from oxbot.domain.orders import OrderState
from oxbot.messages import CycleOutcome
from tests.support.trading import BTC, NOW_MS, begin, bought, entry, intend, new_bot


async def one_that_traded(store: PostgresStore) -> None:
    """A bot that bought 0.1 BTC in its first cycle."""
    await new_bot(store, capital=Notional(20_000))
    await bought(store)
    outcome = CycleOutcome(cycle=1, incarnation=1, due_ms=NOW_MS, decision="Buy BTC/USDT.")
    await store.record_cycles(
        "b1", [outcome], [], {"equity": Notional("9994.1"), "cash": Notional("4000.000000000001")}
    )


async def test_a_bot_is_listed_with_its_last_cycle_and_what_it_holds(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await one_that_traded(store)
    (line,) = (await api.get("/bots")).json()["items"]
    assert line["bot"]["id"] == "b1"
    assert line["last"]["decision"] == "Buy BTC/USDT."
    assert Decimal(line["last"]["equity"]) == Decimal("9994.1")
    (held,) = line["positions"]
    assert held["symbol"] == BTC
    assert Decimal(held["quantity"]) == Decimal("0.0999")
    assert Decimal(held["unrealised"]) == 0


async def test_while_a_cycle_is_under_way_equity_is_that_of_the_last_one_recorded(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await one_that_traded(store)
    await begin(store, cycle=2)
    (line,) = (await api.get("/bots")).json()["items"]
    assert (line["last"]["cycle"], line["last"]["equity"]) == (2, None)
    assert Decimal(line["equity"]) == Decimal("9994.1")
    assert "9,994.10" in (await api.get("/")).text


async def test_before_the_first_recorded_cycle_what_is_held_counts_at_what_was_paid(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store, capital=Notional(20_000))
    await bought(store)
    (line,) = (await api.get("/bots")).json()["items"]
    portfolio = await store.portfolio("b1")
    assert Decimal(line["equity"]) == portfolio.cash + portfolio.positions[BTC].cost
    assert Decimal(line["equity"]) > Decimal(line["cash"])


async def test_money_travels_as_text(api: httpx.AsyncClient, store: PostgresStore) -> None:
    await one_that_traded(store)
    (line,) = (await api.get("/bots")).json()["items"]
    assert isinstance(line["cash"], str)
    assert isinstance(line["positions"][0]["average_price"], str)


async def test_a_bot_whose_workflow_is_away_is_shown_from_the_record_and_it_is_said(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await one_that_traded(store)
    page = (await api.get("/bots/b1")).json()
    assert page["view"] is None
    assert page["unanswered"]
    assert Decimal(page["cash"]) == 14_000


async def test_each_list_has_the_newest_first_and_no_more_than_asked_for(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await one_that_traded(store)
    await intend(store, second := entry("b1", 2, symbol="ETH/USDT"))
    await store.finish_order(second, OrderState.REFUSED, "too small")
    orders = (await api.get("/bots/b1/orders")).json()["items"]
    assert [(order["cycle"], order["state"]) for order in orders] == [(2, "refused"), (1, "filled")]
    (newest,) = (await api.get("/bots/b1/orders", params={"limit": 1})).json()["items"]
    assert newest["reason"] == "too small"
    cycles = (await api.get("/bots/b1/cycles")).json()["items"]
    assert [cycle["cycle"] for cycle in cycles] == [2, 1]
    assert (await api.get("/bots/b1/trades")).json() == {"items": [], "next": None}
    kinds = {event["kind"] for event in (await api.get("/bots/b1/events")).json()["items"]}
    assert "created" in kinds


async def test_a_bot_that_there_is_not_is_a_problem_with_status_404(
    api: httpx.AsyncClient,
) -> None:
    for part in ("", "/cycles", "/orders", "/trades", "/events"):
        answer = await api.get(f"/bots/nobody{part}")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert (problem["title"], problem["status"]) == ("Not found", 404)
        assert "nobody" in problem["detail"]
        assert problem["instance"] == f"/bots/nobody{part}"


async def test_a_limit_beyond_what_is_given_is_a_problem_that_says_which(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store)
    answer = await api.get("/bots/b1/orders", params={"limit": 0})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert "query.limit" in answer.json()["detail"]


async def test_a_cycle_that_saw_nothing_is_shown_without_prices(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store)
    await begin(store)
    lost = CycleOutcome(cycle=2, incarnation=1, due_ms=NOW_MS, skipped="observe_market: away")
    await store.record_cycles("b1", [lost], [], {})
    (line,) = (await api.get("/bots")).json()["items"]
    assert line["last"]["skipped"] == "observe_market: away"
    assert line["quotes"] == {}
