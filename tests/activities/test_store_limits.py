"""Limits changed on a running bot: once per epoch, on record, and nothing sized by old ones."""

import asyncio
from decimal import Decimal

import pytest

from oxbot.adapters.postgres.store import PostgresStore
from oxbot.domain.bot import BotStatus, RiskLimits
from oxbot.domain.errors import InputError, NotFound
from oxbot.domain.limits import Given
from oxbot.domain.orders import OrderState
from oxbot.messages import WriteControl, WriteLimits
from tests.support.trading import NOW_MS, entry, intend, new_bot

pytestmark = pytest.mark.critical


def change(epoch: int = 2, **limits: Given) -> WriteLimits:
    return wish(limits, epoch)


def wish(limits: dict[str, Given], epoch: int = 2) -> WriteLimits:
    return WriteLimits(bot_id="b1", epoch=epoch, by="Ann", reason="too wild", limits=limits)


async def test_a_change_is_stored_with_its_epoch_and_told_with_old_and_new(
    store: PostgresStore,
) -> None:
    await new_bot(store)
    after = await store.change_limits(change(stop="2%", trailing="0.01"))
    bot = await store.bot("b1")
    assert bot.settings.limits == after
    assert after == RiskLimits(stop=Decimal("0.02"), trailing=Decimal("0.01"))
    assert (bot.epoch, bot.status) == (2, BotStatus.RUNNING)
    told = (await store.events("b1", 1))[0]
    assert told.kind == "limits"
    assert told.text == (
        "Limits changed by Ann: too wild. stop from 0.035 to 0.02, trailing from off to 0.01."
    )
    assert told.figures == {"epoch": "2", "stop": "0.035 -> 0.02", "trailing": "off -> 0.01"}


async def test_a_change_repeated_after_another_leaves_the_other(store: PostgresStore) -> None:
    await new_bot(store)
    await store.change_limits(change(2, stop="2%"))
    await store.change_limits(change(3, stop="3%"))
    assert (await store.change_limits(change(2, stop="2%"))).stop == Decimal("0.03")
    assert (await store.bot("b1")).epoch == 3


async def test_an_epoch_that_was_raised_meanwhile_stays(store: PostgresStore) -> None:
    await new_bot(store)
    await store.write_control(
        WriteControl(
            bot_id="b1", status=BotStatus.PAUSED, epoch=5, flatten=True, by="Ann", reason=""
        )
    )
    assert (await store.change_limits(change(2, stop="2%"))).stop == Decimal("0.02")
    bot = await store.bot("b1")
    assert (bot.epoch, bot.status) == (5, BotStatus.PAUSED)


@pytest.mark.parametrize(
    ("limits", "complaint"),
    [
        ({"stop": "0"}, "stop"),
        ({"max_position": "86%"}, "max_position must not exceed max_exposure"),
        ({"nosuch": "1"}, "no limit 'nosuch'"),
        ({"minimum_notional": "1501"}, r"allows 1500\.00 USDT .* minimum_notional asks for 1501"),
    ],
)
async def test_limits_that_cannot_be_leave_everything_as_it_was(
    store: PostgresStore, limits: dict[str, Given], complaint: str
) -> None:
    before = await new_bot(store)
    with pytest.raises(InputError, match=complaint):
        await store.change_limits(wish(limits))
    assert await store.bot("b1") == before
    assert [event.kind for event in await store.events("b1", 5)] == ["created"]


async def test_an_entry_sized_by_the_old_limits_is_never_sent(store: PostgresStore) -> None:
    await new_bot(store)
    order = entry("b1")
    await intend(store, order)
    await store.change_limits(change(stop="2%"))
    assert not await store.claim(order.id, NOW_MS)
    known = await store.order(order.id)
    assert (known.state, known.reason) == (
        OrderState.CANCELLED,
        "not sent: the limits were changed",
    )


async def test_changes_at_once_all_take_effect(store: PostgresStore) -> None:
    await new_bot(store)
    names = ("cooldown_s", "entries_a_day", "spread_bp", "move_bp")
    changes = (wish({name: 11}, epoch) for epoch, name in enumerate(names, start=2))
    await asyncio.gather(*(store.change_limits(one) for one in changes))
    bot = await store.bot("b1")
    assert [getattr(bot.settings.limits, name) for name in names] == [11] * 4
    assert bot.epoch == 5


async def test_a_bot_that_there_is_not_has_no_limits(store: PostgresStore) -> None:
    with pytest.raises(NotFound):
        await store.change_limits(change(stop="2%"))
