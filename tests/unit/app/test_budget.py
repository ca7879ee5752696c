"""What models may cost: once it is spent nobody is asked, and the bot says so."""

from decimal import Decimal

import pytest

from oxbot.domain.models import BASELINE
from oxbot.records import DecisionRecord
from tests.unit.app.room import BOT, Room


async def spend(room: Room, cost: str, bot_id: str = BOT, cycle: int = 99) -> None:
    """Let a decision of today have cost so much."""
    record = DecisionRecord(
        id=f"{bot_id}-{cycle}",
        bot_id=bot_id,
        cycle=cycle,
        provider="fake",
        model="fake-1",
        label="fake",
        prompt_hash="",
        prompt="",
        reply="{}",
        decision=None,
        cost_usd=Decimal(cost),
    )
    await room.store.save_decision(record)


@pytest.fixture
async def seeing(room: Room) -> Room:
    """A bot that may spend a dollar a day, in a cycle that has seen the market."""
    await room.bot(budget_usd="1")
    await room.observe()
    return room


@pytest.mark.parametrize(("cost", "asked"), [("0.999999", 1), ("1", 0), ("1.2", 0)])
async def test_a_bot_is_asked_for_as_long_as_its_budget_is_not_spent(
    seeing: Room, cost: str, asked: int
) -> None:
    await spend(seeing, cost)
    brief = await seeing.decide()
    assert seeing.model.asked == asked
    assert (brief.failed is None) == bool(asked)


async def test_a_spent_budget_is_said_and_kept_and_the_cycle_holds(seeing: Room) -> None:
    await spend(seeing, "1.5")
    seeing.model.will_buy("BTC/USDT")
    brief = await seeing.decide()
    assert brief.failed is not None
    for words in ("1 USD a day for bot b1 is spent (1.5 USD)", "00:00 UTC", "protection goes on"):
        assert words in brief.failed
    assert (await seeing.validate()).orders == ()
    kept = await seeing.store.decision(BOT, 1)
    assert kept is not None
    assert (kept.prompt, kept.reply, kept.failed) == ("", "", brief.failed)
    assert await seeing.decide() == brief


async def test_what_others_spend_counts_towards_the_total_and_not_towards_a_bots_own(
    seeing: Room,
) -> None:
    await spend(seeing, "5", "b2")
    assert (await seeing.decide()).failed is None
    seeing.budget_usd = Decimal(5)
    await seeing.observe(cycle=2)
    brief = await seeing.decide(cycle=2)
    assert "for all bots together is spent" in (brief.failed or "")


async def test_the_baseline_costs_nothing_and_goes_on(room: Room) -> None:
    room.others[BASELINE] = room.model
    room.budget_usd = Decimal(1)
    await room.bot(provider=BASELINE, budget_usd="1")
    await room.observe()
    await spend(room, "9")
    assert (await room.decide()).failed is None


async def test_with_a_budget_a_model_of_unknown_price_is_not_asked(room: Room) -> None:
    unknown = {"provider": "fake", "model": "unpriced"}
    await room.bot(model=unknown["model"], budget_usd="1", fallbacks=[unknown])
    await room.observe()
    brief = await room.decide()
    assert "OXBOT_MODEL_CARDS" in (brief.failed or "")
    assert room.model.asked == 0


async def test_a_fallback_that_decides_in_its_place_says_so(room: Room) -> None:
    await room.bot(model="unpriced", budget_usd="1", fallbacks=[{"provider": "fake"}])
    await room.observe()
    brief = await room.decide()
    assert brief.failed is None
    assert "nobody knows what fake unpriced costs" in (brief.passed_over or "")


async def test_without_a_budget_its_price_is_nobodys_concern(room: Room) -> None:
    await room.bot(model="unpriced")
    await room.observe()
    assert (await room.decide()).failed is None
