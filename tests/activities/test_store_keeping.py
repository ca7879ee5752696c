"""Bots kept in order on record: settings that change, and bots out of sight."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from oxbot.adapters.postgres.keeping import PostgresKeeping
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.domain.allowance import Asked
from oxbot.domain.bot import BotStatus
from oxbot.domain.bot_changes import ChangeSettings, Word
from oxbot.domain.errors import Conflict, InputError, NotFound
from oxbot.domain.orders import OrderState
from oxbot.messages import WriteControl, WriteLimits
from tests.support.trading import NOW_MS, bought, entry, intend, new_bot

ANN = Word(by="Ann", reason="tidy")


@pytest.fixture
def keeping(engine: AsyncEngine) -> PostgresKeeping:
    return PostgresKeeping(engine)


def change(**settings: object) -> ChangeSettings:
    return ChangeSettings(by="Ann", reason="dear", settings=settings)


async def end(store: PostgresStore, bot_id: str = "b1") -> None:
    """Have the record say that a bot has stopped."""
    bot = await store.bot(bot_id)
    change = WriteControl(
        bot_id=bot_id,
        status=BotStatus.STOPPED,
        epoch=bot.epoch + 1,
        flatten=True,
        by="Ann",
        reason="",
    )
    await store.write_control(change)


async def kinds(store: PostgresStore) -> list[str]:
    return [event.kind for event in await store.events("b1", 50)]


async def test_settings_change_on_record_and_are_told_with_old_and_new(
    store: PostgresStore, keeping: PostgresKeeping
) -> None:
    before = await new_bot(store)
    done = await keeping.change_settings("b1", change(name="Calm", budget_usd="0.5"))
    assert done.changed == ("name", "budget_usd")
    after = await store.bot("b1")
    assert after.settings == done.settings
    assert (after.settings.name, str(after.settings.budget_usd)) == ("Calm", "0.5")
    assert (after.epoch, after.settings.limits) == (before.epoch, before.settings.limits)
    told = (await store.events("b1", 1))[0]
    assert told.text == (
        "Settings changed by Ann: dear. name from Test to Calm, budget_usd from off to 0.5."
    )
    assert told.figures == {"name": "Test -> Calm", "budget_usd": "off -> 0.5"}


async def test_the_same_change_again_is_told_once_and_a_change_back_again(
    store: PostgresStore, keeping: PostgresKeeping
) -> None:
    await new_bot(store)
    assert (await keeping.change_settings("b1", change(name="Calm"))).changed == ("name",)
    assert (await keeping.change_settings("b1", change(name="Calm"))).changed == ()
    assert (await keeping.change_settings("b1", change(name="Test"))).changed == ("name",)
    assert (await kinds(store)).count("settings") == 2


async def test_changes_at_once_lose_none_of_each_other(
    store: PostgresStore, keeping: PostgresKeeping
) -> None:
    await new_bot(store)
    limits = WriteLimits(bot_id="b1", epoch=2, by="Ann", reason="", limits={"stop": "2%"})
    await asyncio.gather(
        keeping.change_settings("b1", change(name="Calm")),
        store.change_limits(limits),
        keeping.change_settings("b1", change(gate_bp="5")),
    )
    settings = (await store.bot("b1")).settings
    assert (settings.name, str(settings.gate_bp), str(settings.limits.stop)) == (
        "Calm",
        "5",
        "0.02",
    )


async def test_what_cannot_be_changes_nothing(
    store: PostgresStore, keeping: PostgresKeeping
) -> None:
    bot = await new_bot(store)
    for wish in (change(capital="5"), change(name=""), change(nothing="1"), change()):
        with pytest.raises(InputError):
            await keeping.change_settings("b1", wish)
    assert await store.bot("b1") == bot
    with pytest.raises(NotFound):
        await keeping.change_settings("b9", change(name="Calm"))
    await end(store)
    with pytest.raises(Conflict, match="is stopped"):
        await keeping.change_settings("b1", change(name="Calm"))


async def test_a_stopped_bot_is_archived_once_and_taken_out_again(
    store: PostgresStore, keeping: PostgresKeeping
) -> None:
    await new_bot(store)
    with pytest.raises(Conflict, match="is running: only a stopped bot"):
        await keeping.archive("b1", ANN, NOW_MS)
    await end(store)
    assert (await keeping.archive("b1", ANN, NOW_MS)).archived_ms == NOW_MS
    assert (await keeping.archive("b1", ANN, NOW_MS + 1)).archived_ms == NOW_MS
    assert (await store.bot("b1")).archived_ms == NOW_MS
    assert (await keeping.unarchive("b1", ANN)).archived_ms is None
    assert (await keeping.unarchive("b1", ANN)).archived_ms is None
    assert (await store.bot("b1")).archived_ms is None
    await keeping.archive("b1", ANN, NOW_MS + 2)
    told = [kind for kind in await kinds(store) if "archived" in kind]
    assert told == ["archived", "unarchived", "archived"]
    assert (await store.events("b1", 1))[0].text == "Archived by Ann: tidy."


async def test_a_bot_with_a_position_or_an_order_is_not_archived(
    store: PostgresStore, keeping: PostgresKeeping
) -> None:
    await new_bot(store)
    await bought(store)
    await end(store)
    with pytest.raises(Conflict, match="positions in BTC/USDT"):
        await keeping.archive("b1", ANN, NOW_MS)
    await new_bot(store, "b2")
    order = entry("b2", 1)
    await intend(store, order)
    assert await store.claim(order.id, NOW_MS)
    await end(store, "b2")
    with pytest.raises(Conflict, match="orders that are not over in BTC/USDT"):
        await keeping.archive("b2", ANN, NOW_MS)
    assert (await store.order(order.id)).state is OrderState.SENT


async def test_a_live_bot_whose_stop_may_rest_at_the_exchange_is_not_archived(
    store: PostgresStore, keeping: PostgresKeeping
) -> None:
    await new_bot(store, mode="live")
    await bought(store)
    await end(store)
    with pytest.raises(Conflict, match="stops that may rest at the exchange in BTC/USDT"):
        await keeping.archive("b1", ANN, NOW_MS)


async def test_what_a_bot_was_asked_for_with_is_kept_with_it(
    store: PostgresStore, keeping: PostgresKeeping
) -> None:
    made = await new_bot(store)
    await store.create_bot("b2", made.settings, NOW_MS, asked=Asked(digest="d1"))
    assert (await keeping.asked("b1"), await keeping.asked("b2")) == (None, "d1")
    await keeping.change_settings("b2", change(name="Calm"))
    assert await keeping.asked("b2") == "d1"
