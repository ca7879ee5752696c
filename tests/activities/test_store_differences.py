"""What a reconciliation tells: what is new, what is over, and exits that nobody could tell of."""

import pytest

from oxbot.adapters.postgres.store import PostgresStore
from oxbot.domain.errors import NotFound
from oxbot.domain.losses import AGREES, DIFFERS
from oxbot.domain.orders import Purpose
from oxbot.messages import OrderOutcome
from tests.support.trading import INSTRUMENT, bought, fill, intend, leave, new_bot

pytestmark = pytest.mark.critical

ONE, OTHER = "1 USDT are missing", "2 USDT are missing"


async def told(store: PostgresStore) -> list[tuple[str, str]]:
    """The events of differences, oldest first."""
    events = (await store.events("b1", 99))[::-1]
    return [(e.kind, e.text) for e in events if e.kind in (DIFFERS, AGREES)]


async def test_what_differs_is_told_when_it_is_new_and_when_it_is_over(
    store: PostgresStore,
) -> None:
    await new_bot(store)
    for differs in ([ONE], [ONE], [ONE, OTHER], [OTHER], [], [], [ONE], [ONE]):
        await store.tell_differences("b1", differs, is_all=True)
    assert await told(store) == [
        (DIFFERS, ONE),
        (DIFFERS, OTHER),
        (AGREES, f"No longer so: {ONE}."),
        (AGREES, f"No longer so: {OTHER}."),
        (DIFFERS, ONE),
    ]


async def test_what_is_not_all_tells_nothing_to_be_over(store: PostgresStore) -> None:
    await new_bot(store)
    await store.tell_differences("b1", [ONE], is_all=True)
    await store.tell_differences("b1", [OTHER], is_all=False)
    await store.tell_differences("b1", [ONE, OTHER], is_all=True)
    assert await told(store) == [(DIFFERS, ONE), (DIFFERS, OTHER)]


async def test_what_an_older_version_told_counts_as_told(store: PostgresStore) -> None:
    await new_bot(store)
    await store.tell("b1", f"{DIFFERS}:{ONE}", DIFFERS, ONE)
    await store.tell_differences("b1", [ONE], is_all=True)
    await store.tell_differences("b1", [], is_all=True)
    await store.tell_differences("b1", [ONE], is_all=True)
    assert [kind for kind, _ in await told(store)] == [DIFFERS, AGREES, DIFFERS]


async def test_of_a_bot_that_is_not_there_nothing_is_told(store: PostgresStore) -> None:
    with pytest.raises(NotFound):
        await store.tell_differences("b1", [ONE], is_all=True)


async def test_a_filled_order_is_untold_until_it_is_told(store: PostgresStore) -> None:
    await new_bot(store)
    await bought(store)
    order = leave("b1", 2, "0.05")
    await intend(store, order)
    [entered] = await store.untold_orders("b1", 0)
    assert entered.purpose is Purpose.ENTRY
    await store.tell_order("b1", 1, OrderOutcome.of(entered, await store.fills(entered.id)))
    [told] = await store.events("b1", 1)
    assert told.kind == "opened"
    assert await store.untold_orders("b1", 0) == []
    sold = fill(order)
    ended = await store.settle(order.id, [sold], INSTRUMENT)
    assert await store.untold_orders("b1", 0) == [ended]
    assert await store.untold_orders("b1", 10**14) == []
    await store.tell_order("b1", 2, OrderOutcome.of(ended, [sold]))
    assert await store.untold_orders("b1", 0) == []
