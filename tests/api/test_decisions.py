"""What the API says of models that were asked, and of those that were not."""

from collections.abc import AsyncIterator

import httpx
import pytest

from oxbot.adapters.postgres.store import PostgresStore
from tests.api.conftest import serving
from tests.api.test_status import metrics
from tests.support.asked import FAILED, GATED, SPENT, ask
from tests.support.trading import new_bot


@pytest.fixture
async def api(database_url: str, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(database_url, redis_url=redis_url) as client:
        yield client


async def test_decisions_are_counted_by_what_came_of_them(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store)
    await new_bot(store, "b2")
    ends = (None, GATED, GATED, FAILED, SPENT, {"repaired": True})
    for cycle, how in enumerate(ends, start=1):
        await ask(store, cycle, how)
    await ask(store, 1, bot_id="b2")
    found = await metrics(api)
    name = "oxbot_decisions_total"
    counted = {labels: value for (known, labels), value in found.items() if known == name}
    assert counted == {"decided": 2, "repaired": 1, "failed": 1, "gated": 2, "unasked": 1}
    assert found["oxbot_model_cost_usd_total", ""] == pytest.approx(0.016)
    page = (await api.get("/bots/b1")).json()
    assert page["decisions"] == {
        "decided": 1,
        "repaired": 1,
        "failed": 1,
        "gated": 2,
        "unasked": 1,
        "cost_usd": "0.012",
    }


async def test_outcomes_that_did_not_happen_are_counted_as_none(api: httpx.AsyncClient) -> None:
    """A time series that begins with its first event hides that event."""
    found = await metrics(api)
    counted = [value for (name, _), value in found.items() if name == "oxbot_decisions_total"]
    assert counted == [0] * 5
